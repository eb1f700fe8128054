package plan

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// wish is a stack with one service of each fate.
func wish() config.Stack {
	s := config.Default()
	s.Services = []config.Service{
		{Name: "same", URL: "https://10.0.0.1:9443"},
		{Name: "moved", URL: "https://10.0.0.2:9443", Hosts: []string{"b.phoenix.localhost", "a.phoenix.localhost"}, Issuer: events.IssuerBus},
		{Name: "new", Backend: &config.Backend{Scheme: "http", Address: "10.0.0.3"}},
		{Name: "by-hand", URL: "http://10.0.0.4"},
		{Name: "thief", URL: "http://10.0.0.5", Hosts: []string{"by-hand.phoenix.localhost"}},
	}
	return s
}

// there is what a former version of the wish became.
func there() Now {
	was := wish()
	was.Domain = "old.localhost"
	was.CA.Duration *= 2
	service := func(name, address string, owner events.Identity) events.ServiceState {
		return events.ServiceState{
			Name: name, Hosts: []string{name + ".phoenix.localhost"}, Owner: owner, Issuer: events.IssuerACME, State: events.StateReady,
			Backend: events.Backend{Scheme: "https", Address: address, Port: 9443},
		}
	}
	return Now{
		Config: &was,
		Stack:  events.StackState{Stack: "home", State: events.StateReady},
		Containers: []events.ContainerState{
			{ID: 103, Role: events.RoleCA, State: events.StateReady},
			{ID: 102, Role: events.RoleProxy, State: events.StateFailed},
		},
		Services: []events.ServiceState{
			service("same", "10.0.0.1", events.Provisioner),
			service("moved", "10.0.0.9", events.Provisioner),
			service("old", "10.0.0.8", events.Provisioner),
			service("by-hand", "10.0.0.4", events.Ops),
			service("other-by-hand", "10.0.0.7", events.Ops),
		},
	}
}

func TestNew(t *testing.T) {
	tests := map[string]struct {
		want config.Stack
		now  Now
	}{
		"nothing": {wish(), Now{}},
		"changes": {wish(), there()},
		"same": {config.Default(), Now{
			Stack: events.StackState{State: events.StateReady},
			Containers: []events.ContainerState{
				{ID: 101, State: events.StateReady}, {ID: 102, State: events.StateReady}, {ID: 103, State: events.StateReady},
			},
		}},
		"failed": {config.Default(), Now{Stack: events.StackState{State: events.StateFailed}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := New(tt.want, tt.now)
			var b strings.Builder
			if err := view.WriteJSON(&b, p); err != nil {
				t.Fatal(err)
			}
			b.WriteString("\n")
			if err := p.Text(&b, view.Style{}); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, name+".txt", b.String())
		})
	}
}

func TestRefusedBackend(t *testing.T) {
	s := config.Default()
	s.Services = []config.Service{{Name: "x", URL: "file:///etc/passwd"}}
	steps := services(s, Now{})
	if len(steps) != 1 || steps[0].Action != Refuse {
		t.Errorf("got %v, want a refusal", steps)
	}
}
