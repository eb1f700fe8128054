package await

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func begin() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// said turns payloads into events 100 ms apart.
func said(t *testing.T, payloads ...events.Payload) []view.Event {
	t.Helper()
	out := make([]view.Event, 0, len(payloads))
	for i, p := range payloads {
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		at := begin().Add(time.Duration(i+1) * 100 * time.Millisecond)
		out = append(out, view.Event{Sequence: uint64(i), Time: at, Subject: p.Subject(), Data: data})
	}
	return out
}

// tell renders what a run makes of the events.
func tell(r *Run, list []view.Event) (string, *End) {
	var b strings.Builder
	fmt.Fprintf(&b, "… %s\n", r.Waiting())
	for _, e := range list {
		steps, end := r.See(e)
		for _, s := range steps {
			mark := "✓"
			if s.Bad {
				mark = "✗"
			}
			fmt.Fprintf(&b, "%s %s %s\n", mark, s.Text, s.Took)
		}
		if end != nil {
			return b.String(), end
		}
		fmt.Fprintf(&b, "… %s\n", r.Waiting())
	}
	return b.String(), nil
}

func TestRun(t *testing.T) {
	requested := func(id int, role events.Role) events.Payload {
		return events.ContainerRequested{Stack: "home", ID: id, Role: role}
	}
	ready := func(id int, role events.Role) events.Payload {
		return events.ContainerReady{Stack: "home", ID: id, Role: role, Address: fmt.Sprintf("127.0.1.%d", id)}
	}
	text, end := tell(NewRun("home", 7, begin()), said(t,
		events.StackReady{Stack: "home", Run: "home-3"}, // of an older run
		requested(103, events.RoleCA), requested(102, events.RoleProxy), requested(101, events.RoleGateway),
		events.ContainerReady{Stack: "other", ID: 203, Role: events.RoleCA},
		ready(103, events.RoleCA), ready(101, events.RoleGateway), ready(102, events.RoleProxy),
		events.CAReady{URL: "https://127.0.1.103:9000"},
		events.CAReady{URL: "https://127.0.1.103:9000"},
		events.CertIssued{Serial: "1"}, events.CertIssued{Serial: "2"},
		events.ProxyReady{Host: "proxy.x", Address: "127.0.1.102:8443"},
		events.GatewayReady{Addresses: []string{"127.0.1.101:8443"}},
		events.StackReady{Stack: "home", Run: "home-7", Address: "https://gateway.x:8443/"},
	))
	if end == nil || end.Ready == nil || end.Ready.Address != "https://gateway.x:8443/" {
		t.Errorf("got %+v, want ready", end)
	}
	golden.Equal(t, "run.txt", text)
}

func TestRunEnds(t *testing.T) {
	tests := map[string]struct {
		payload events.Payload
		ends    func(*End) bool
	}{
		"failed":          {events.StackFailed{Stack: "home", Run: "home-7", Step: "ca"}, func(e *End) bool { return e != nil && e.Failed != nil }},
		"removed":         {events.StackRemoved{Stack: "home", Run: "home-7"}, func(e *End) bool { return e != nil && e.Removed != nil }},
		"newer run":       {events.StackReady{Stack: "home", Run: "home-12"}, func(e *End) bool { return e != nil && e.Ready != nil }},
		"older run":       {events.StackFailed{Stack: "home", Run: "home-6"}, func(e *End) bool { return e == nil }},
		"other stack":     {events.StackReady{Stack: "cabin", Run: "cabin-12"}, func(e *End) bool { return e == nil }},
		"no run at all":   {events.StackReady{Stack: "home", Run: "home-x"}, func(e *End) bool { return e == nil }},
		"something else":  {events.ServiceRemoved{Name: "x"}, func(e *End) bool { return e == nil }},
		"longer name":     {events.StackReady{Stack: "home-2", Run: "home-2-9"}, func(e *End) bool { return e == nil }},
		"container fails": {events.ContainerFailed{Stack: "home", ID: 1}, func(e *End) bool { return e == nil }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, end := tell(NewRun("home", 7, begin()), said(t, tt.payload))
			if !tt.ends(end) {
				t.Errorf("got %+v", end)
			}
		})
	}
}

func TestRunIgnoresForeignPayloads(t *testing.T) {
	for _, s := range events.Contract() {
		e := view.Event{Subject: s.Name(), Data: json.RawMessage(`[1]`)}
		if steps, end := NewRun("home", 7, begin()).See(e); steps != nil || end != nil {
			t.Errorf("%s: got %v, %v", s.Name(), steps, end)
		}
	}
}
