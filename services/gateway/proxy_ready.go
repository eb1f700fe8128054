package main

import (
	"context"
	"net/netip"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

// proxyReady records where Traefik serves. Its name is fixed: whoever serves
// there has to prove to be that name.
func (h *handlers) proxyReady(ctx context.Context, e events.Event[events.ProxyReady]) error {
	addr, err := netip.ParseAddrPort(e.Data.Address)
	if err != nil || addr.Port() == 0 || addr.Addr().Zone() != "" {
		return events.Invalidf("address is %.80q: want an IP address with a port", e.Data.Address)
	}
	if e.Data.Host != h.site.ProxyHost() {
		return events.Invalidf("host is %.80q: want %s", e.Data.Host, h.site.ProxyHost())
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	return h.ledger.SetUpstream(ctx, ledger.Upstream{Origin: ledger.OriginOf(ctx, e.Meta), Address: addr.String()})
}
