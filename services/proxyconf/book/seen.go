package book

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// States returns the state of each service as it was last recorded.
func (b *Book) States() map[string]events.ServiceState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return clone(b.content.states)
}

// SetState records the state of a service.
func (b *Book) SetState(ctx context.Context, s events.ServiceState) error {
	return b.set(ctx, keyState+s.Name, s, func(c *content) { c.states[s.Name] = s })
}

// RemoveState forgets a service that is gone.
func (b *Book) RemoveState(ctx context.Context, name string) error {
	if err := b.remove(ctx, keyState+name); err != nil {
		return err
	}
	b.change(func(c *content) {
		delete(c.states, name)
		if _, live := b.claims.Service(name); !live {
			delete(b.origins, name)
		}
	})
	return nil
}

// Backends returns how backends were found.
func (b *Book) Backends() map[string]Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	return clone(b.content.backends)
}

// SetBackend records how a service's backend was found.
func (b *Book) SetBackend(ctx context.Context, service string, found Backend) error {
	return b.set(ctx, keyBackend+service, found, func(c *content) { c.backends[service] = found })
}

// RemoveBackend forgets the backend of a service that is gone.
func (b *Book) RemoveBackend(ctx context.Context, service string) error {
	if err := b.remove(ctx, keyBackend+service); err != nil {
		return err
	}
	b.change(func(c *content) { delete(c.backends, service) })
	return nil
}
