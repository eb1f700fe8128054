package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// stackRequested begins a run. The run is named after the message's place in
// the stream, so that hearing it again begins nothing.
func (h *handlers) stackRequested(ctx context.Context, e events.Event[events.StackRequested]) error {
	if err := h.known(ctx, e.Data.Stack); err != nil {
		return err
	}
	return h.record(ctx, e.Data.Stack, saga.Requested{Request: saga.Request{
		Run: events.RunID(e.Data.Stack, e.Sequence), Sequence: e.Sequence,
		Want: e.Data.Want, Purge: e.Data.Purge, Trace: traceparent(ctx),
	}})
}
