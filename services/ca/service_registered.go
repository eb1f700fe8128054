package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// serviceRegistered records a claim. One that is refused is no dead letter here:
// proxyconf, which judges the same, makes it one.
func (h *handlers) serviceRegistered(ctx context.Context, e events.Event[events.ServiceRegistered]) error {
	refusal, err := h.book.Register(ctx, e)
	if err != nil {
		return err
	}
	if refusal != nil {
		h.log.InfoContext(ctx, "claim refused", "name", e.Data.Name, "speaker", e.Speaker, "sequence", e.Sequence, "reason", refusal)
	}
	return nil
}
