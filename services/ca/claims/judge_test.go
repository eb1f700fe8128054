package claims_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/ca/claims"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

const domain = "phoenix.localhost"

func rules() claims.Rules {
	return claims.Rules{Domain: domain, Bus: netip.MustParseAddr("10.9.0.100")}
}

// registered is a registry with two services: grafana, by the operator, and nas,
// by discovery.
type registered struct{ services []registry.Service }

func twoServices() *registered {
	return &registered{[]registry.Service{
		{Name: "grafana", Owner: events.Ops, Hosts: []string{"grafana." + domain}, Backend: events.Backend{Address: "10.0.0.5"}},
		{Name: "nas", Owner: events.Provisioner, Hosts: []string{"files." + domain, "nas." + domain}, Backend: events.Backend{Address: "10.0.0.6"}},
	}}
}

func (r *registered) Services() []registry.Service { return r.services }

func (r *registered) Claimed(host string) (registry.Service, bool) {
	for _, s := range r.services {
		if slices.Contains(s.Hosts, host) {
			return s, true
		}
	}
	return registry.Service{}, false
}

func bus(id events.Identity) stepca.Request {
	return stepca.Request{Way: stepca.WayBus, Speaker: string(id)}
}

func TestJudgeHosts(t *testing.T) {
	acme, jwk, renew := stepca.Request{Way: stepca.WayACME}, stepca.Request{Way: stepca.WayJWK}, stepca.Request{Way: stepca.WayRenew}
	all := map[string]stepca.Request{
		"acme": acme, "jwk": jwk, "renew": renew, "ops": bus(events.Ops), "provisioner": bus(events.Provisioner),
		"proxyconf": bus(events.Proxyconf), "gateway": bus(events.Gateway), "ca": bus(events.CA), "nobody": bus(""), "other": {Way: "oidc"},
	}
	tests := map[string]string{ // host → who may ask
		"grafana." + domain: "acme jwk renew ops",
		"nas." + domain:     "acme jwk renew ops provisioner",
		"files." + domain:   "acme jwk renew ops provisioner",
		"proxy." + domain:   "acme renew proxyconf",
		"probe." + domain:   "acme renew proxyconf",
		"gateway." + domain: "acme renew proxyconf gateway",
		"bus." + domain:     "renew jwk ops provisioner",
		"ca." + domain:      "",
		"x.proxy." + domain: "",
		domain:              "",
		"*." + domain:       "",
		"other." + domain:   "",
		"example.com":       "",
		"GRAFANA." + domain: "",
		"":                  "",
	}
	for host, allowed := range tests {
		for who, r := range all {
			r.DNS = []string{host}
			err := rules().Judge(twoServices(), r)
			want := strings.Contains(" "+allowed+" ", " "+who+" ")
			if (err == nil) != want {
				t.Errorf("%s asks for %q: %v; may: %v", who, host, err, want)
			}
			if unclaimed := errors.Is(err, claims.ErrUnclaimed); unclaimed != (host == "other."+domain) {
				t.Errorf("%s asks for %q: %v; waits: %v", who, host, err, unclaimed)
			}
		}
	}
}

func TestJudgeAddresses(t *testing.T) {
	tests := []struct {
		r    stepca.Request
		ip   string
		want string // empty: may
	}{
		{bus(events.Ops), "10.0.0.5", ""},
		{bus(events.Ops), "10.0.0.6", ""},
		{bus(events.Ops), "10.0.0.7", "not claimed"},
		{bus(events.Ops), "10.9.0.100", ""},
		{bus(events.Provisioner), "10.0.0.6", ""},
		{bus(events.Provisioner), "10.0.0.5", "somebody else's"},
		{bus(events.Gateway), "10.0.0.5", "somebody else's"},
		{bus(events.Gateway), "10.9.0.100", "stack's own"},
		{stepca.Request{Way: stepca.WayJWK}, "10.0.0.5", ""},
		{stepca.Request{Way: stepca.WayRenew}, "10.0.0.5", ""},
		{stepca.Request{Way: stepca.WayACME}, "10.0.0.5", "not certified by ACME"},
	}
	for _, tt := range tests {
		tt.r.IPs = []netip.Addr{netip.MustParseAddr(tt.ip)}
		err := rules().Judge(twoServices(), tt.r)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s asks for %s: %v; want %q", tt.r.Way, tt.r.Speaker, tt.ip, err, tt.want)
		}
	}
}

func TestJudgeWantsAllNames(t *testing.T) {
	r := bus(events.Ops)
	r.DNS = []string{"grafana." + domain, "ca." + domain}
	if err := rules().Judge(twoServices(), r); err == nil || !strings.Contains(err.Error(), "stack's own") {
		t.Errorf("got %v", err)
	}
}
