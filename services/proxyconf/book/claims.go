package book

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// Register hears a service.registered. The error is the registry's refusal, or
// that of the bucket; in both cases hearing it again gives the same result.
func (b *Book) Register(ctx context.Context, e events.Event[events.ServiceRegistered]) error {
	b.record.Lock()
	defer b.record.Unlock()
	refusal := b.hear(OriginOf(ctx, e.Meta), e.Data.Name, func() ([]registry.Change, error) {
		return b.claims.Register(e.Meta, e.Data)
	})
	if err := b.saveClaims(ctx); err != nil {
		return err
	}
	return refusal
}

// Remove hears a service.removed, as Register does.
func (b *Book) Remove(ctx context.Context, e events.Event[events.ServiceRemoved]) error {
	b.record.Lock()
	defer b.record.Unlock()
	refusal := b.hear(OriginOf(ctx, e.Meta), e.Data.Name, func() ([]registry.Change, error) {
		return b.claims.Remove(e.Meta, e.Data)
	})
	if err := b.saveClaims(ctx); err != nil {
		return err
	}
	return refusal
}

// hear changes the claims. What changed is seen at once: were it lost in a crash
// before it is saved, the message would be delivered again.
func (b *Book) hear(o Origin, name string, listen func() ([]registry.Change, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes, refusal := listen()
	if len(changes) > 0 {
		b.origins[name] = o
		for _, ring := range b.wishes {
			ring()
		}
	}
	return refusal
}

// saveClaims stores the claims that changed.
func (b *Book) saveClaims(ctx context.Context) error {
	b.mu.Lock()
	unsaved := b.claims.Unsaved()
	b.mu.Unlock()
	for _, e := range unsaved {
		if err := b.put(ctx, e.Key(), e); err != nil {
			return err
		}
		b.mu.Lock()
		b.claims.Saved(e)
		b.mu.Unlock()
	}
	return nil
}

// Services returns the registrations in force, ordered by name.
func (b *Book) Services() []registry.Service {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claims.Services()
}

// Refused says why a registered service is not in force.
func (b *Book) Refused(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claims.Refused(name)
}

// Origin returns the message that the newest change of a service came from, if
// it was heard in this life.
func (b *Book) Origin(name string) Origin {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.origins[name]
}
