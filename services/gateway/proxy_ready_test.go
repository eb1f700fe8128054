package main

import (
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

func TestProxyReady(t *testing.T) {
	good := events.ProxyReady{Address: "127.0.1.102:8443", Host: proxyHost}
	of := func(h *handlers) events.Handler[events.ProxyReady] { return h.proxyReady }
	checkHandler(t, []handled[events.ProxyReady]{
		{"good", good, ""},
		{"IPv6", events.ProxyReady{Address: "[::1]:8443", Host: proxyHost}, ""},
		{"no address", events.ProxyReady{Host: proxyHost}, "address"},
		{"a name", events.ProxyReady{Address: "traefik:8443", Host: proxyHost}, "address"},
		{"no port", events.ProxyReady{Address: "127.0.0.1", Host: proxyHost}, "address"},
		{"port zero", events.ProxyReady{Address: "127.0.0.1:0", Host: proxyHost}, "address"},
		{"zone", events.ProxyReady{Address: "[fe80::1%a;}]:1", Host: proxyHost}, "address"},
		{"directive", events.ProxyReady{Address: "127.0.0.1:1; return 418", Host: proxyHost}, "address"},
		{"another host", events.ProxyReady{Address: "127.0.0.1:1", Host: "evil." + domain}, "host"},
		{"no host", events.ProxyReady{Address: "127.0.0.1:1"}, "host"},
	}, of)
	checkLater(t, good, of)
	expect(t, recordsOf(t, good, of).Upstream, ledger.Upstream{Origin: ledger.Origin{Sequence: 7}, Address: "127.0.1.102:8443"})
	mapped := events.ProxyReady{Address: "[::ffff:127.0.1.102]:8443", Host: proxyHost}
	expect(t, recordsOf(t, mapped, of).Upstream.Address, "127.0.1.102:8443")
}
