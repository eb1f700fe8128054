package main

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/book"
)

// containerReady records that the CA's own container wants ca.ready, and of the
// proxy's container where ACME's challenges are answered.
func (h *handlers) containerReady(ctx context.Context, e events.Event[events.ContainerReady]) error {
	c := e.Data
	if c.Stack != h.stack {
		return nil
	}
	switch c.Role {
	case events.RoleCA:
		if c.Address != h.address {
			h.log.WarnContext(ctx, "a container of the CA at another address is not ours", "address", c.Address, "ours", h.address)
			return nil
		}
		return h.book.SetContainer(ctx, book.Container{Origin: book.OriginOf(ctx, e.Meta), Run: c.Run})
	case events.RoleProxy:
		answers, err := challengeAddress(c)
		if err != nil {
			return events.Invalid(err)
		}
		return h.book.SetProxy(ctx, book.Proxy{Origin: book.OriginOf(ctx, e.Meta), ACME: answers})
	case events.RoleGateway:
		return nil
	}
	return events.Invalidf("role is %.40q", c.Role)
}

// challengeAddress returns where the proxy answers tls-alpn-01.
func challengeAddress(c events.ContainerReady) (string, error) {
	ip, err := netip.ParseAddr(c.Address)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("address of the proxy is %.80q: want an IP address", c.Address)
	}
	port := c.Ports["https"]
	if port < 1 || port > 65535 {
		return "", fmt.Errorf("https port of the proxy is %d: want 1 to 65535", port)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)).String(), nil
}
