package main

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

// containerReady records the run that made the gateway's own container, which
// waits for gateway.ready; and of the proxy's container where Traefik will be
// and with which key proxyconf seals pairs. That key is believed from here
// alone: the provisioner says it, not proxyconf.
func (h *handlers) containerReady(ctx context.Context, e events.Event[events.ContainerReady]) error {
	c := e.Data
	if c.Stack != h.stack {
		return nil
	}
	switch c.Role {
	case events.RoleGateway:
		if c.Curve != h.curve {
			h.log.WarnContext(ctx, "the container is known by another curve key; pairs sealed to it can't be opened", "sequence", e.Sequence)
		}
		return h.ledger.SetContainer(ctx, ledger.Container{Origin: ledger.OriginOf(ctx, e.Meta), Run: c.Run})
	case events.RoleProxy:
		https, err := proxyAddress(c)
		if err != nil {
			return events.Invalid(err)
		}
		return h.ledger.SetProxy(ctx, ledger.Proxy{Origin: ledger.OriginOf(ctx, e.Meta), HTTPS: https, Curve: c.Curve})
	case events.RoleCA:
		return nil
	}
	return events.Invalidf("role is %.40q", c.Role)
}

// proxyAddress judges what is told of the proxy's container, and returns where
// Traefik will serve HTTPS, if that is told.
func proxyAddress(c events.ContainerReady) (string, error) {
	if !nkeys.IsValidPublicCurveKey(c.Curve) {
		return "", fmt.Errorf("curve of the proxy is %.80q: want a public curve key", c.Curve)
	}
	addr, err := netip.ParseAddr(c.Address)
	if err != nil || addr.Zone() != "" {
		return "", fmt.Errorf("address of the proxy is %.80q: want an IP address", c.Address)
	}
	port, ok := c.Ports["https"]
	if !ok {
		return "", nil
	}
	if port < 1 || port > 65535 {
		return "", fmt.Errorf("port of the proxy is %d: want 1 to 65535", port)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)).String(), nil
}
