package serve

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

func TestConfigurationFollowsFromWhatIsKnown(t *testing.T) {
	site := Site{Domain: "phoenix.localhost", HTTPS: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8443")}, PublicPort: 8443}
	root := ledger.Root{PEM: "root"}
	for _, row := range []struct {
		name     string
		known    ledger.State
		upstream string
		err      error
	}{
		{"nothing", ledger.State{}, "", errNoRoot},
		{"no upstream", ledger.State{Root: root}, "", errNoUpstream},
		{"no root", ledger.State{Proxy: ledger.Proxy{HTTPS: "127.0.0.2:1"}}, "", errNoRoot},
		{"the container's address", ledger.State{Root: root, Proxy: ledger.Proxy{HTTPS: "127.0.0.2:1"}}, "127.0.0.2:1", nil},
		{"the proxy's own word", ledger.State{
			Root: root, Proxy: ledger.Proxy{HTTPS: "127.0.0.2:1"}, Upstream: ledger.Upstream{Address: "127.0.0.3:1"},
		}, "127.0.0.3:1", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := site.configuration(row.known)
			if !errors.Is(err, row.err) {
				t.Fatalf("got %v, want %v", err, row.err)
			}
			if err == nil && (c.Upstream.String() != row.upstream || string(c.Root) != "root" || c.UpstreamName != "proxy.phoenix.localhost") {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestURL(t *testing.T) {
	for port, want := range map[uint16]string{443: "https://a.test/", 8443: "https://a.test:8443/"} {
		if got := (Site{PublicPort: port}).url("a.test"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
