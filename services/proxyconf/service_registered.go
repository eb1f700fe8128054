package main

import (
	"context"
	"errors"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// patience is how often a registration that somebody else's claim forbids is
// looked at: removals come by another consumer, and may be on their way.
const patience = 3

// serviceRegistered records who holds which name and host. A registration that is
// wrong, or that comes too late, is a dead letter.
func (h *handlers) serviceRegistered(ctx context.Context, e events.Event[events.ServiceRegistered]) error {
	return settle(e.Meta, h.book.Register(ctx, e))
}

// settle turns the registry's refusal into a dead letter.
func settle(m events.Meta, err error) error {
	switch {
	case errors.Is(err, registry.ErrHeld) && m.ReplayedAt == 0 && m.Deliveries < patience:
		return err
	case errors.Is(err, registry.ErrInvalid), errors.Is(err, registry.ErrHeld), errors.Is(err, registry.ErrSuperseded):
		return events.Invalid(err)
	}
	return err
}
