package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// gatewayReady records that the gateway says it serves. The run goes on once
// that was seen.
func (h *handlers) gatewayReady(ctx context.Context, e events.Event[events.GatewayReady]) error {
	if len(e.Data.Addresses) == 0 {
		return events.Invalidf("addresses are needed")
	}
	return h.recordAll(ctx, saga.GatewaySaid{Fact: saga.Fact[events.GatewayReady]{Sequence: e.Sequence, Data: e.Data}})
}
