package main

import (
	"context"

	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

// containerReady records the own container, whose run waits for proxy.ready, and
// the key that the gateway's pairs are sealed to. That key is believed from here
// alone: the provisioner says it, not the gateway.
func (h *handlers) containerReady(ctx context.Context, e events.Event[events.ContainerReady]) error {
	c := e.Data
	if c.Stack != h.stack {
		return nil
	}
	record := book.Container{Origin: book.OriginOf(ctx, e.Meta), ID: c.ID, Curve: c.Curve}
	switch c.Role {
	case events.RoleProxy:
		if c.Curve != h.curve {
			h.log.WarnContext(ctx, "the container is known by another curve key; the gateway will refuse the pairs", "sequence", e.Sequence)
		}
		return h.book.SetProxy(ctx, record)
	case events.RoleGateway:
		if !nkeys.IsValidPublicCurveKey(c.Curve) {
			return events.Invalidf("curve of the gateway is %.80q: want a public curve key", c.Curve)
		}
		return h.book.SetGateway(ctx, record)
	case events.RoleCA:
		return nil
	}
	return events.Invalidf("role is %.40q", string(c.Role))
}
