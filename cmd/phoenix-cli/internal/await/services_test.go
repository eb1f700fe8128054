package await

import (
	"maps"
	"reflect"
	"testing"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestLacking(t *testing.T) {
	backend := events.Backend{Scheme: "https", Address: "10.0.0.1", Port: 9443}
	wish := Wish{Name: "a", Hosts: []string{"b.x", "a.x"}, Backend: backend, Owner: events.Ops}
	is := events.ServiceState{
		Name: "a", Hosts: []string{"a.x", "b.x"}, Backend: backend, Issuer: events.IssuerACME, Owner: events.Ops, State: events.StateReady,
	}
	served := map[string]events.GatewayHost{
		"a.x": {Host: "a.x", State: events.StateReady}, "b.x": {Host: "b.x", State: events.StateReady},
	}
	tests := map[string]struct {
		change func(*view.Facts)
		want   []Missing
	}{
		"served":          {func(*view.Facts) {}, nil},
		"unknown":         {func(f *view.Facts) { f.Services = nil }, []Missing{{Name: "a", Reason: "not registered yet"}}},
		"somebody else's": {func(f *view.Facts) { f.Services[0].Owner = events.Provisioner }, []Missing{{Name: "a", Reason: "the name is held by provisioner", Refused: true}}},
		"former backend":  {func(f *view.Facts) { f.Services[0].Backend.Port = 1 }, []Missing{{Name: "a", Reason: "not applied yet"}}},
		"former hosts":    {func(f *view.Facts) { f.Services[0].Hosts = []string{"a.x"} }, []Missing{{Name: "a", Reason: "not applied yet"}}},
		"former issuer":   {func(f *view.Facts) { f.Services[0].Issuer = events.IssuerBus }, []Missing{{Name: "a", Reason: "not applied yet"}}},
		"not at gateway":  {func(f *view.Facts) { delete(f.Hosts, "b.x") }, []Missing{{Name: "a", Reason: "pending: waits for the gateway to serve b.x"}}},
		"degraded": {func(f *view.Facts) {
			f.Services[0].State, f.Services[0].Reason = events.StateDegraded, "no answer"
		}, []Missing{{Name: "a", Reason: "degraded: no answer"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := view.Facts{Services: []events.ServiceState{is}, Hosts: map[string]events.GatewayHost{}}
			maps.Copy(f.Hosts, served)
			tt.change(&f)
			if got := Lacking([]Wish{wish}, f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestLeft(t *testing.T) {
	f := view.Facts{
		Services: []events.ServiceState{{Name: "a"}},
		Hosts:    map[string]events.GatewayHost{"b.x": {Host: "b.x", Service: "b"}},
	}
	for name, want := range map[string]string{"a": "the proxy still routes it", "b": "the gateway still serves b.x", "c": ""} {
		var got string
		if left := Left(name, f); len(left) > 0 {
			got = left[0].Reason
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
