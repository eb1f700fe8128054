package main

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// gatewayApplied compares what the gateway serves with what it was given: what it
// lacks is handed over again, and what it should not serve is withdrawn.
func (h *handlers) gatewayApplied(_ context.Context, e events.Event[events.GatewayApplied]) error {
	for host := range e.Data.Hosts {
		if err := name.Host(host, h.domain); err != nil {
			return events.Invalid(err)
		}
	}
	for _, host := range e.Data.Missing {
		if err := name.Host(host, h.domain); err != nil {
			return events.Invalid(err)
		}
	}
	h.book.Report(e)
	return nil
}
