package main

import (
	"log/slog"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

// handlers answer events: each judges its message and records it. What follows
// is the reconcilers'.
type handlers struct {
	stack  string
	domain string
	curve  string // the container's own public curve key
	book   *book.Book
	log    *slog.Logger
}

// workers returns the consumers of everything that proxyconf hears.
func (h *handlers) workers(b *events.Bus) []service.Worker {
	return []service.Worker{
		events.On(b, h.containerReady),
		events.On(b, h.caReady),
		events.On(b, h.serviceRegistered),
		events.On(b, h.serviceRemoved),
		events.On(b, h.gatewayApplied),
	}
}
