package serve

import (
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/proxyconf/backend"
)

func TestJudge(t *testing.T) {
	now := time.Now()
	pair := seal.Pair{Serial: "0b"}
	served := Host{Pair: pair, Seen: Seen{"0b", now.Add(time.Hour)}, Since: now.Add(-time.Hour)}
	tests := map[string]struct {
		change func(*evidence, *Host)
		state  events.State
		reason string
		next   bool // judged again although nothing happens
	}{
		"all well":                {nil, events.StateReady, "", false},
		"not applied":             {func(e *evidence, _ *Host) { e.applied = false }, events.StatePending, "does not serve the route", false},
		"fault":                   {func(e *evidence, _ *Host) { e.fault = "bad rule" }, events.StateDegraded, "bad rule", false},
		"fault, not applied":      {func(e *evidence, _ *Host) { e.fault, e.applied = "bad rule", false }, events.StateDegraded, "bad rule", false},
		"backend pending":         {func(e *evidence, _ *Host) { e.route.Pending = true }, events.StatePending, "backend", false},
		"backend not verified":    {func(e *evidence, _ *Host) { e.route.Reason = "unknown authority" }, events.StateDegraded, "unknown authority", false},
		"not known yet":           {func(_ *evidence, h *Host) { *h = Host{} }, events.StatePending, "waits", false},
		"ordered":                 {func(_ *evidence, h *Host) { *h = Host{Since: now.Add(-time.Second)} }, events.StatePending, "no certificate", true},
		"order overdue":           {func(_ *evidence, h *Host) { *h = Host{Since: now.Add(-time.Minute), Reason: "nobody claims it"} }, events.StateDegraded, "nobody claims it", false},
		"not shown yet":           {func(_ *evidence, h *Host) { *h = Host{Since: now, Pair: pair, Amiss: now} }, events.StatePending, "does not show", true},
		"never shown":             {func(_ *evidence, h *Host) { *h = Host{Since: now, Pair: pair, Amiss: now.Add(-time.Minute)} }, events.StateDegraded, "does not show", false},
		"renewed, not shown yet":  {func(_ *evidence, h *Host) { h.Pair.Serial, h.Amiss = "0c", now }, events.StateReady, "", false},
		"renewed, not shown long": {func(_ *evidence, h *Host) { h.Pair.Serial, h.Amiss = "0c", now.Add(-time.Minute) }, events.StateDegraded, "shows the certificate 0b", false},
		"ended":                   {func(_ *evidence, h *Host) { h.Seen.NotAfter = now.Add(-time.Second) }, events.StateDegraded, "ended", false},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			h := served
			e := evidence{
				service: registry.Service{Name: "a", Hosts: []string{"a.test"}}, applied: true,
				route: backend.Route{Servers: []string{"https://10.0.0.5:443"}, Encrypted: true, Verified: true},
			}
			if tt.change != nil {
				tt.change(&e, &h)
			}
			e.hosts = map[string]Host{"a.test": h}
			got, next := judge(e, now)
			if got.State != tt.state || !strings.Contains(got.Reason, tt.reason) || (tt.reason == "") != (got.Reason == "") {
				t.Errorf("state %s, reason %q; want %s, %q", got.State, got.Reason, tt.state, tt.reason)
			}
			if (next != 0) != tt.next {
				t.Errorf("next in %s", next)
			}
		})
	}
}

func TestJudgeTellsTheFirstEnd(t *testing.T) {
	now := time.Now().UTC()
	host := func(d time.Duration) Host {
		return Host{Since: now, Pair: seal.Pair{Serial: "0b"}, Seen: Seen{"0b", now.Add(d)}}
	}
	got, _ := judge(evidence{
		service: registry.Service{Hosts: []string{"a", "b"}}, applied: true,
		hosts: map[string]Host{"a": host(2 * time.Hour), "b": host(time.Hour)},
	}, now)
	if !got.NotAfter.Equal(now.Add(time.Hour)) || len(got.Serials) != 2 || got.Verified || got.Encrypted {
		t.Errorf("got %+v", got)
	}
}

func TestSettleKeepsWhatIsReady(t *testing.T) {
	ready := events.ServiceState{Name: "a", Hosts: []string{"a.test"}, State: events.StateReady}
	pending, degraded, moved := ready, ready, ready
	pending.State, degraded.State, moved.State = events.StatePending, events.StateDegraded, events.StatePending
	moved.Backend.Port = 1
	for what, tt := range map[string]struct {
		former, now events.ServiceState
		want        events.State
	}{
		"not seen yet":    {ready, pending, events.StateReady},
		"degraded":        {ready, degraded, events.StateDegraded},
		"another backend": {ready, moved, events.StatePending},
		"was degraded":    {degraded, pending, events.StatePending},
		"new":             {events.ServiceState{}, pending, events.StatePending},
	} {
		if got := settle(tt.former, tt.now); got.State != tt.want {
			t.Errorf("%s: %s, want %s", what, got.State, tt.want)
		}
	}
}
