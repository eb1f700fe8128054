package main

import (
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestGatewayReady(t *testing.T) {
	for name, tt := range map[string]struct {
		payload events.GatewayReady
		invalid bool
	}{
		"good":         {events.GatewayReady{Addresses: []string{"127.17.3.101:8443"}}, false},
		"no addresses": {events.GatewayReady{}, true},
	} {
		d := newDesk()
		d.begin(t)
		wantInvalid(t, name, d.gatewayReady(t.Context(), heard(7, tt.payload)), tt.invalid)
		if recorded := d.state(t).Gateway.Sequence == 7; recorded == tt.invalid {
			t.Errorf("%s: recorded: %t", name, recorded)
		}
	}
}
