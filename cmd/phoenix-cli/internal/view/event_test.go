package view

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// samples has a message of every subject.
func samples() []events.Payload {
	guest := events.Guest{VMID: 801, Kind: "lxc", Name: "granite", Addresses: []string{"10.0.0.141"}}
	return []events.Payload{
		events.StackRequested{Stack: "home"},
		events.StackRequested{Stack: "home", Want: events.Absent},
		events.StackRequested{Stack: "home", Want: events.Absent, Purge: true},
		events.StackReady{Run: "home-1", Address: "https://gateway.x:8443/"},
		events.StackFailed{Run: "home-1", Step: "ca", Reason: "no answer", Undone: []string{"103"}},
		events.StackRemoved{Stack: "home", Removed: []string{"101", "102"}},
		events.ContainerRequested{ID: 103, Role: events.RoleCA, Name: "ca"},
		events.ContainerReady{ID: 103, Role: events.RoleCA, Name: "ca", Address: "127.0.1.103"},
		events.ContainerFailed{ID: 103, Role: events.RoleCA, Step: "start", Reason: "no room"},
		events.ContainerRemoved{ID: 103, Role: events.RoleCA},
		events.CAReady{URL: "https://127.0.1.103:9000", RootFingerprint: "9f86"},
		events.CertRequested{Names: []string{"a.x", "b.x"}, Holder: "gateway"},
		events.CertIssued{Serial: "1a", Names: []string{"a.x"}, Issuer: "acme", NotAfter: now()},
		events.CertFailed{Names: []string{"a.x"}, Reason: "not claimed"},
		events.CertRevoked{Serial: "1a"},
		events.CertRevoked{Serial: "1a", Reason: "removed"},
		events.ServiceRegistered{Name: "grafana", URL: "http://127.0.0.1:3000"},
		events.ServiceRegistered{Name: "a\x1b[2J", Backend: &events.Backend{Scheme: "https", Address: "10.0.0.1", Port: 9443}, Hosts: []string{"b.x"}},
		events.ServiceRemoved{Name: "grafana"},
		events.ServiceReady{Name: "grafana", URL: "https://grafana.x/", Serial: "1a"},
		events.ServiceFailed{Name: "grafana", Reason: "no route"},
		events.ServiceFailed{Name: "grafana", Host: "grafana.x", Reason: "no route"},
		events.GuestDiscovered{Guest: guest},
		events.GuestChanged{Guest: guest},
		events.GuestRemoved{VMID: 801},
		events.ProxyReady{Host: "proxy.x", Address: "127.0.1.102:8443", Serial: "1a"},
		events.ProxyApplied{Revision: "r7", Routes: 3},
		events.GatewayCertificate{Host: "a.x", Serial: "1a"},
		events.GatewayCertificate{Host: "a.x", Withdrawn: true},
		events.GatewayReady{Hosts: 2, Addresses: []string{"127.0.1.101:8443"}},
		events.GatewayApplied{
			Total: 2, Hosts: map[string]string{"b.x": "2", "a.x": "1"}, Removed: []string{"c.x"}, Missing: []string{"d.x"}, Error: "nginx -t failed",
		},
	}
}

func TestEventText(t *testing.T) {
	var b strings.Builder
	said := map[string]bool{}
	for i, p := range samples() {
		said[p.Subject()] = true
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		row, _ := events.ByName(p.Subject())
		e := Event{Time: now().Add(time.Duration(i-2) * time.Second), Subject: p.Subject(), Speaker: row.Speakers[0], Data: data}
		if err := EventText(&b, Style{}, now(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range events.Contract() {
		if !said[s.Name()] {
			t.Errorf("no sample of %s", s.Name())
		}
	}
	golden.Equal(t, "events.txt", b.String())
}

func TestSummaryOfForeignPayloads(t *testing.T) {
	tests := map[string]struct{ subject, data, want string }{
		"wrong type":      {"stack.ready", `{"run":7}`, `unreadable payload: {"run":7}`},
		"broken":          {"stack.ready", "{\n", `unreadable payload: {\n`},
		"unknown subject": {"rotation.begun", `{"x":"` + "\x1b" + `"}`, `{"x":"\x1b"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Summary(tt.subject, []byte(tt.data)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if got := Summary("x.y", []byte(strings.Repeat("ä", 1000))); len([]rune(got)) != maxSummary {
		t.Errorf("got %d runes, want %d", len([]rune(got)), maxSummary)
	}
}

func TestClock(t *testing.T) {
	yesterday := now().Add(-24 * time.Hour)
	if got := clock(now(), yesterday); got != "2026-02-28 12:00:00.000" {
		t.Errorf("got %s", got)
	}
}

func TestRawText(t *testing.T) {
	var b strings.Builder
	m := RawEvent{Sequence: 7, Subject: "service.registered.ops", Header: map[string][]string{"ce-id": {"1"}, "a": {"\x1b"}}, Data: []byte("{\n}")}
	if err := RawText(&b, Style{}, m); err != nil {
		t.Fatal(err)
	}
	if err := NearMiss(&b, Style{}, now(), now(), "service.registred", "service.registered"); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "raw.txt", b.String())
}

func TestPayload(t *testing.T) {
	tests := []struct{ raw, want string }{{`{"a":1}`, `{"a":1}`}, {"{", `"{"`}, {"\xff", `"�"`}, {"", `""`}}
	for _, tt := range tests {
		if got := string(Payload([]byte(tt.raw))); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.raw, got, tt.want)
		}
	}
}
