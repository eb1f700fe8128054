package main

import (
	"context"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

func certificateFor(host string) events.GatewayCertificate {
	return events.GatewayCertificate{Host: host, Service: "grafana", Serial: "0a1b", Sealed: "sealed." + host}
}

func ofCertificate(h *handlers) events.Handler[events.GatewayCertificate] {
	return h.gatewayCertificate
}

func TestGatewayCertificate(t *testing.T) {
	host := "grafana." + domain
	with := func(change func(*events.GatewayCertificate)) events.GatewayCertificate {
		c := certificateFor(host)
		change(&c)
		return c
	}
	rows := []handled[events.GatewayCertificate]{
		{"good", certificateFor(host), ""},
		{"own host", with(func(c *events.GatewayCertificate) { c.Service = "" }), ""},
		{"withdrawn", events.GatewayCertificate{Host: host, Withdrawn: true}, ""},
		{"no serial", with(func(c *events.GatewayCertificate) { c.Serial = "" }), "serial"},
		{"serial in capitals", with(func(c *events.GatewayCertificate) { c.Serial = "0A1B" }), "serial"},
		{"half a byte", with(func(c *events.GatewayCertificate) { c.Serial = "a1b" }), "serial"},
		{"serial too long", with(func(c *events.GatewayCertificate) { c.Serial = strings.Repeat("00", 21) }), "serial"},
		{"sealed for another", with(func(c *events.GatewayCertificate) { c.Sealed = "sealed.other." + domain }), "sealed"},
		{"service with a dot", with(func(c *events.GatewayCertificate) { c.Service = "a.b" }), "service"},
		{"hostile service", with(func(c *events.GatewayCertificate) { c.Service = "{{.}}" }), "service"},
	}
	for _, hostile := range []string{
		"", ".", "..", "../../etc/passwd", "/etc/passwd", "a/../b." + domain, "*." + domain, "A." + domain, host + ".", domain,
		"a." + domain + ".example.com", "a.example.com", "a b." + domain, "a;b." + domain, "a}b." + domain, "a{b." + domain, "a\"b." + domain,
		"a`b." + domain, "a'b." + domain, "$host." + domain, "a\n." + domain, host + "\n", "a\x00." + domain, "{{.}}." + domain, "-a." + domain,
		"ä." + domain, "a..b." + domain, "." + domain, "_none." + domain, ".new-1." + domain, strings.Repeat("a", 64) + "." + domain, strings.Repeat("a.", 150) + domain,
	} {
		rows = append(rows, handled[events.GatewayCertificate]{"host " + hostile, certificateFor(hostile), "host"})
		withdrawn := events.GatewayCertificate{Host: hostile, Withdrawn: true}
		rows = append(rows, handled[events.GatewayCertificate]{"withdrawn " + hostile, withdrawn, "host"})
	}
	checkHandler(t, rows, ofCertificate)
	checkLater(t, certificateFor(host), ofCertificate)
	want := ledger.Wish{Origin: ledger.Origin{Sequence: 7}, Host: host, Service: "grafana", Serial: "0a1b"}
	expect(t, recordsOf(t, certificateFor(host), ofCertificate).Wishes, map[string]ledger.Wish{host: want})
}

// FuzzGatewayCertificate lets no host through that could be anything but a
// file's name and a DNS name below the domain.
func FuzzGatewayCertificate(f *testing.F) {
	f.Add("grafana."+domain, "grafana", "0a1b", "sealed.grafana."+domain, false)
	f.Add("../"+domain, "a;b", "0A", "sealed.>", true)
	f.Add("xn--a."+domain, "", "00", "", false)
	f.Fuzz(func(t *testing.T, host, serviceName, serial, sealed string, withdrawn bool) {
		h, b := newHandlers(t)
		c := events.GatewayCertificate{Host: host, Service: serviceName, Serial: serial, Sealed: sealed, Withdrawn: withdrawn}
		err := h.gatewayCertificate(context.Background(), events.Event[events.GatewayCertificate]{Meta: events.Meta{Sequence: 1}, Data: c})
		if events.IsInvalid(err) {
			if b.Writes() != 0 {
				t.Error("refused, but recorded")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if name.Host(host, domain) != nil || strings.ContainsAny(host, "/\\ ;{}\"'`$\n\x00*") || strings.Contains(host, "..") {
			t.Errorf("accepted %q", host)
		}
	})
}
