package main

import (
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func TestContainerRequested(t *testing.T) {
	tests := []struct {
		name    string
		payload events.ContainerRequested
		stage   saga.Stage
		invalid bool
	}{
		{"of this run", events.ContainerRequested{Stack: "home", Run: "home-1", ID: 103, Role: events.RoleCA}, saga.Accepted, false},
		{"of another run", events.ContainerRequested{Stack: "home", Run: "home-0", ID: 103, Role: events.RoleCA}, saga.Asked, false},
		{"of another role", events.ContainerRequested{Stack: "home", Run: "home-1", ID: 103, Role: events.RoleProxy}, saga.Asked, true},
		{"that nobody wants", events.ContainerRequested{Stack: "home", Run: "home-1", ID: 7, Role: events.RoleProxy}, saga.Asked, false},
		{"of no stack", events.ContainerRequested{Stack: "a b", Run: "home-1", ID: 103}, saga.Asked, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk()
			d.begin(t)
			d.apply(t, saga.Found{Run: "home-1", ID: 103, Before: saga.Missing})
			wantInvalid(t, tt.name, d.containerRequested(t.Context(), heard(2, tt.payload)), tt.invalid)
			if c, _ := d.state(t).Container(103); c.Stage != tt.stage {
				t.Errorf("container is %s, want %s", c.Stage, tt.stage)
			}
		})
	}
}
