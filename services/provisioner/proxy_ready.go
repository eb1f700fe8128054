package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// proxyReady records that the proxy says it serves. The run goes on once that
// was seen.
func (h *handlers) proxyReady(ctx context.Context, e events.Event[events.ProxyReady]) error {
	if e.Data.Address == "" || e.Data.Host == "" {
		return events.Invalidf("address and host are needed")
	}
	return h.recordAll(ctx, saga.ProxySaid{Fact: saga.Fact[events.ProxyReady]{Sequence: e.Sequence, Data: e.Data}})
}
