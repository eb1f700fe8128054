package main

import (
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestProxyReady(t *testing.T) {
	for name, tt := range map[string]struct {
		payload events.ProxyReady
		invalid bool
	}{
		"good":       {events.ProxyReady{Address: "127.17.3.102:8443", Host: "proxy.phoenix.localhost"}, false},
		"no address": {events.ProxyReady{Host: "proxy.phoenix.localhost"}, true},
		"no host":    {events.ProxyReady{Address: "127.17.3.102:8443"}, true},
	} {
		d := newDesk()
		d.begin(t)
		wantInvalid(t, name, d.proxyReady(t.Context(), heard(7, tt.payload)), tt.invalid)
		if recorded := d.state(t).Proxy.Sequence == 7; recorded == tt.invalid {
			t.Errorf("%s: recorded: %t", name, recorded)
		}
	}
}
