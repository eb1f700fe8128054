package view

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestServicesText(t *testing.T) {
	var b strings.Builder
	if err := ServicesText(&b, Style{Color: true}, now(), Services(facts())); err != nil {
		t.Fatal(err)
	}
	if err := ServicesText(&b, Style{}, now(), nil); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "services.txt", b.String())
}

func TestServiceState(t *testing.T) {
	host := func(state events.State, reason string) map[string]events.GatewayHost {
		return map[string]events.GatewayHost{"a.x": {Host: "a.x", State: state, Reason: reason}}
	}
	tests := map[string]struct {
		proxy  events.ServiceState
		hosts  map[string]events.GatewayHost
		state  events.State
		reason string
	}{
		"nothing seen":       {events.ServiceState{}, nil, events.StatePending, ""},
		"at the proxy only":  {events.ServiceState{State: events.StateReady}, nil, events.StatePending, "waits for the gateway to serve a.x"},
		"at both":            {events.ServiceState{State: events.StateReady}, host(events.StateReady, ""), events.StateReady, ""},
		"refused by gateway": {events.ServiceState{State: events.StateReady}, host(events.StateFailed, "no pair"), events.StateFailed, "no pair"},
		"not at the proxy":   {events.ServiceState{State: events.StateFailed, Reason: "no route"}, host(events.StateReady, ""), events.StateFailed, "no route"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.proxy.Hosts = []string{"a.x"}
			state, reason := serviceState(Facts{Hosts: tt.hosts}, tt.proxy)
			if state != tt.state || reason != tt.reason {
				t.Errorf("got %s %q, want %s %q", state, reason, tt.state, tt.reason)
			}
		})
	}
}

func TestServiceURL(t *testing.T) {
	tests := []struct{ host, address, want string }{
		{"a.x", "https://gateway.x:8443/", "https://a.x:8443/"},
		{"a.x", "https://gateway.x/", "https://a.x/"},
		{"a.x", "https://gateway.x:443/", "https://a.x/"},
		{"a.x", "", "https://a.x/"},
		{"", "https://gateway.x/", ""},
	}
	for _, tt := range tests {
		if got := serviceURL(tt.host, tt.address); got != tt.want {
			t.Errorf("%q at %q: got %q, want %q", tt.host, tt.address, got, tt.want)
		}
	}
}
