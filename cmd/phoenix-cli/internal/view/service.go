package view

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// Service is one service as status and services report it.
type Service struct {
	Name     string            `json:"name"`
	Hosts    []string          `json:"hosts"`
	URL      string            `json:"url"`
	State    events.State      `json:"state"`
	Issuer   events.Issuer     `json:"issuer"`
	Serial   string            `json:"serial"`
	NotAfter *time.Time        `json:"not_after" jsonschema:"oneof_type=string;null"`
	Hops     []Hop             `json:"hops"`
	Backend  string            `json:"backend,omitempty"`
	Owner    events.Identity   `json:"owner,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Serials  map[string]string `json:"serials,omitempty"` // host → serial
}

// Hop is one leg of the way to a service. It is encrypted and verified when
// that was seen.
type Hop struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Encrypted bool   `json:"encrypted"`
	Verified  bool   `json:"verified"`
}

// Services returns all services by name: those that are served or will be, and
// those that are configured and not known to anybody yet.
func Services(f Facts) []Service {
	out := make([]Service, 0, len(f.Services))
	known := map[string]bool{}
	for _, s := range f.Services {
		known[s.Name] = true
		out = append(out, serviceOf(f, s))
	}
	for _, w := range f.Wanted {
		if !known[w.Name] {
			out = append(out, serviceOf(f, events.ServiceState{
				Name: w.Name, Hosts: w.Hosts, Issuer: w.Issuer, State: events.StatePending, Reason: "not registered yet",
			}))
		}
	}
	slices.SortFunc(out, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func serviceOf(f Facts, s events.ServiceState) Service {
	state, reason := serviceState(f, s)
	out := Service{
		Name: s.Name, Hosts: append([]string{}, s.Hosts...), State: state, Reason: reason,
		Issuer: cmp.Or(s.Issuer, events.IssuerACME), Owner: s.Owner, Backend: backendURL(s.Backend), Hops: hops(f, s),
	}
	for _, host := range s.Hosts {
		served, ok := f.Hosts[host]
		if !ok || served.Serial == "" {
			continue
		}
		if out.Serials == nil {
			out.Serials = map[string]string{}
		}
		out.Serials[host] = served.Serial
	}
	if len(s.Hosts) == 0 {
		return out
	}
	out.URL = serviceURL(s.Hosts[0], f.Stack.Address)
	if served := f.Hosts[s.Hosts[0]]; served.Serial != "" {
		out.Serial, out.NotAfter = served.Serial, &served.NotAfter
	}
	return out
}

// serviceState joins what the proxy and the gateway say: a service is ready
// when its certificates were seen at both.
func serviceState(f Facts, s events.ServiceState) (events.State, string) {
	if s.State != events.StateReady {
		return cmp.Or(s.State, events.StatePending), s.Reason
	}
	for _, host := range s.Hosts {
		served, ok := f.Hosts[host]
		if !ok {
			return events.StatePending, "waits for the gateway to serve " + host
		}
		if served.State != events.StateReady {
			return served.State, cmp.Or(served.Reason, "the gateway does not serve "+host+" yet")
		}
	}
	return events.StateReady, ""
}

// hops tells the way from a client to the service.
func hops(f Facts, s events.ServiceState) []Hop {
	atGateway := len(s.Hosts) > 0
	for _, host := range s.Hosts {
		atGateway = atGateway && f.Hosts[host].State == events.StateReady
	}
	atProxy := s.State == events.StateReady
	return []Hop{
		{From: "client", To: "gateway", Encrypted: atGateway, Verified: atGateway},
		{From: "gateway", To: "proxy", Encrypted: atGateway && atProxy, Verified: atGateway && atProxy},
		{From: "proxy", To: s.Name, Encrypted: s.Encrypted, Verified: s.Verified},
	}
}

func backendURL(b events.Backend) string {
	if b.Scheme == "" {
		return ""
	}
	return name.URL(b)
}

// ServicesText writes the services as a table.
func ServicesText(w io.Writer, style Style, now time.Time, services []Service) error {
	if len(services) == 0 {
		_, err := io.WriteString(w, "No services. Add one: phoenix-cli expose NAME URL\n")
		return err
	}
	t := NewTable(style, "SERVICE", "STATE", "URL", "CERTIFICATE", "HOPS", "BACKEND")
	for _, s := range services {
		t.Row(Clean(s.Name), style.State(s.State), Clean(s.URL), certificateNote(s, now), arrows(s.Hops), Clean(s.Backend))
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, reasons(style, services)+legend(style))
	return err
}

func certificateNote(s Service, now time.Time) string {
	if s.NotAfter == nil {
		return "-"
	}
	note := string(s.Issuer) + ", "
	if left := s.NotAfter.Sub(now); left > 0 {
		return note + Duration(left) + " left"
	}
	return note + "expired"
}

// arrows draws how each leg of the way is protected.
func arrows(hops []Hop) string {
	out := make([]string, 0, len(hops))
	for _, h := range hops {
		out = append(out, arrow(h))
	}
	return strings.Join(out, " ")
}

func arrow(h Hop) string {
	switch {
	case h.Encrypted && h.Verified:
		return "=>"
	case h.Encrypted:
		return "~>"
	}
	return "->"
}

func legend(style Style) string {
	return style.Dim("Hops from client to gateway, proxy and service: => encrypted and verified, ~> encrypted only, -> neither, or not seen yet") + "\n"
}

// reasons lists why services are not ready.
func reasons(style Style, services []Service) string {
	var b strings.Builder
	for _, s := range services {
		if s.State != events.StateReady && s.Reason != "" {
			b.WriteString(style.State(s.State) + " " + Clean(s.Name) + ": " + Clean(s.Reason) + "\n")
		}
	}
	return b.String()
}
