package book

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// Register hears a service.registered. The refusal is the registry's; err says
// that the claims could not be stored. Hearing it again gives the same.
func (b *Book) Register(ctx context.Context, e events.Event[events.ServiceRegistered]) (refusal, err error) {
	return b.hear(ctx, func() ([]registry.Change, error) { return b.claims.Register(e.Meta, e.Data) })
}

// Remove hears a service.removed, as Register does.
func (b *Book) Remove(ctx context.Context, e events.Event[events.ServiceRemoved]) (refusal, err error) {
	return b.hear(ctx, func() ([]registry.Change, error) { return b.claims.Remove(e.Meta, e.Data) })
}

func (b *Book) hear(ctx context.Context, listen func() ([]registry.Change, error)) (refusal, err error) {
	b.record.Lock()
	defer b.record.Unlock()
	refusal = b.change(listen)
	return refusal, b.saveClaims(ctx)
}

// change lets a change of claims be seen at once: were it lost in a crash before
// it is stored, the message would be delivered again.
func (b *Book) change(listen func() ([]registry.Change, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes, refusal := listen()
	if len(changes) > 0 {
		close(b.claimsChanged)
		b.claimsChanged = make(chan struct{})
	}
	return refusal
}

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

// Claimed returns the service that holds a host.
func (b *Book) Claimed(host string) (registry.Service, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claims.Claimed(host)
}

// Services returns the registrations in force, ordered by name.
func (b *Book) Services() []registry.Service {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claims.Services()
}

// ClaimsChanged is closed at the next change of a claim.
func (b *Book) ClaimsChanged() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claimsChanged
}
