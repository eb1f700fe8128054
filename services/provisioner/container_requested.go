package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// containerRequested has a container made, when the run that wished for it is
// the present one and wished for just that.
func (h *handlers) containerRequested(ctx context.Context, e events.Event[events.ContainerRequested]) error {
	if err := name.Service(e.Data.Stack); err != nil {
		return events.Invalidf("stack: %w", err)
	}
	s, err := h.ledger.Load(ctx, e.Data.Stack)
	if err != nil {
		return err
	}
	if s.Run != e.Data.Run {
		h.log.DebugContext(ctx, "container of another run", "run", e.Data.Run, "container", e.Data.ID)
		return nil
	}
	c, ok := s.Container(e.Data.ID)
	if ok && c.Role != e.Data.Role {
		return events.Invalidf("container %d of run %s is %s, not %.40q", c.ID, s.Run, c.Role, e.Data.Role)
	}
	return h.record(ctx, e.Data.Stack, saga.ContainerRequested{Run: e.Data.Run, ID: e.Data.ID})
}
