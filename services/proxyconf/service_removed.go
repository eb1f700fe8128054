package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// serviceRemoved gives a name and its hosts back. Removing what is not there is
// no fault.
func (h *handlers) serviceRemoved(ctx context.Context, e events.Event[events.ServiceRemoved]) error {
	return settle(e.Meta, h.book.Remove(ctx, e))
}
