package view

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// both renders v as JSON and a text below each other.
func both(t *testing.T, v any, text func(b *strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := WriteJSON(&b, v); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n")
	if err := text(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStatus(t *testing.T) {
	tests := map[string]func(*Facts){
		"absent":   func(f *Facts) { *f = Facts{Now: f.Now} },
		"degraded": func(*Facts) {},
		"ready": func(f *Facts) {
			f.Services, f.Wanted = f.Services[:2], nil
		},
		"starting": func(f *Facts) {
			f.Stack.State, f.Stack.Step, f.Stack.Address = events.StateStarting, "certificates", ""
			f.CA, f.Services, f.Hosts, f.Wanted = events.CAState{}, nil, nil, nil
			f.Containers[1].State, f.Containers[1].Reason = events.StateStarting, "waits for its service"
		},
		"failed": func(f *Facts) {
			f.Stack.State, f.Stack.Step, f.Stack.Reason = events.StateFailed, "ca", "no answer within 2m"
			f.Containers, f.Services, f.Hosts, f.Wanted, f.CA = nil, nil, nil, nil, events.CAState{}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts()
			change(&f)
			s := NewStatus("home", f)
			golden.Equal(t, "status-"+name+".txt", both(t, s, func(b *strings.Builder) error {
				return s.Text(b, Style{}, f)
			}))
		})
	}
}

func TestDegraded(t *testing.T) {
	tests := map[string]struct {
		change func(*Facts)
		state  events.State
		reason string
	}{
		"whole":            {func(*Facts) {}, events.StateReady, ""},
		"pending service":  {func(f *Facts) { f.Services[0].State = events.StatePending }, events.StateReady, ""},
		"host gone":        {func(f *Facts) { f.Alive = false }, events.StateDegraded, "the host of the stack does not answer"},
		"container failed": {func(f *Facts) { f.Containers[0].State = events.StateFailed }, events.StateDegraded, "container 103 (ca) is failed"},
		"service failed":   {func(f *Facts) { f.Services[0].State = events.StateFailed }, events.StateDegraded, "service portainer is failed"},
		"failed stays":     {func(f *Facts) { f.Stack.State, f.Alive = events.StateFailed, false }, events.StateFailed, ""},
		"unit keeps ending": {func(f *Facts) {
			f.Units[0] = unit.Status{Name: "103-ca", State: unit.Failed, LastExit: "exit status 1", Log: "/log"}
		}, events.StateDegraded, "unit 103-ca keeps failing (exit status 1); its log is /log"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts()
			f.Services, f.Wanted = f.Services[:2], nil
			tt.change(&f)
			s := NewStatus("home", f)
			if s.State != tt.state || s.Reason != tt.reason {
				t.Errorf("got %s %q, want %s %q", s.State, s.Reason, tt.state, tt.reason)
			}
		})
	}
}
