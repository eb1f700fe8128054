package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// serviceRemoved records that a claim is given back: from now on nothing is
// signed or renewed for it.
func (h *handlers) serviceRemoved(ctx context.Context, e events.Event[events.ServiceRemoved]) error {
	refusal, err := h.book.Remove(ctx, e)
	if err != nil {
		return err
	}
	if refusal != nil {
		h.log.InfoContext(ctx, "removal refused", "name", e.Data.Name, "speaker", e.Speaker, "sequence", e.Sequence, "reason", refusal)
	}
	return nil
}
