package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestServiceIsServed(t *testing.T) {
	h := newHouse(t)
	h.start()
	began := time.Now()
	h.proxyReady()
	h.caReady()
	h.gatewayReady()
	ready := hears(h, "the proxy is ready", func(events.ProxyReady) bool { return true })
	t.Logf("proxy ready after %s", time.Since(began))
	if ready.Address != h.at("102:8443") || ready.Host != host("proxy") {
		t.Errorf("said %+v", ready)
	}
	h.serves(host("proxy"), "OK")
	h.serves(host("gateway"), "OK")

	began = time.Now()
	body := h.register("grafana")
	first := hears(h, "grafana is ready", func(s events.ServiceReady) bool { return s.Name == "grafana" })
	t.Logf("one more service after %s", time.Since(began))
	got, serial, err := h.get(host("grafana"))
	if err != nil || got != body || serial != first.Serial {
		t.Errorf("grafana: body %q, serial %s, %v; want serial %s", got, serial, err, first.Serial)
	}
	if first.URL != "https://grafana.phoenix.localhost:8443/" || first.Host != host("grafana") {
		t.Errorf("said %+v", first)
	}
	state := h.state("grafana", events.StateReady)
	if state.Serials[host("grafana")] != serial || state.NotAfter.IsZero() || state.Encrypted || state.Owner != events.Ops {
		t.Errorf("state %+v", state)
	}
	h.handed(host("grafana"), serial)
	if applied := said[events.ProxyApplied](h); len(applied) == 0 || applied[len(applied)-1].Routes != 1 {
		t.Errorf("said %+v", applied)
	}

	h.forgets()
	h.remove("grafana")
	hears(h, "grafana is withdrawn", func(c events.GatewayCertificate) bool { return c.Host == host("grafana") && c.Withdrawn })
	h.state("grafana", events.StateAbsent)
	h.eventually("grafana is gone", func() error {
		if body, _, err := h.get(host("grafana")); err == nil && body != "" {
			return fmt.Errorf("body %q", body)
		}
		return nil
	})

	h.forgets()
	body = h.register("grafana")
	hears(h, "grafana is ready again", func(s events.ServiceReady) bool { return s.Name == "grafana" })
	h.serves(host("grafana"), body)
}

func TestEachRunIsAnswered(t *testing.T) {
	h := newHouse(t)
	h.start()
	h.caReady()
	h.proxyReady()
	h.gatewayReady()
	hears(h, "the proxy is ready", func(events.ProxyReady) bool { return true })
	hears(h, "the gateway has its pair", func(c events.GatewayCertificate) bool { return c.Host == host("gateway") })
	issued := h.acme.Issued()
	h.forgets()
	h.proxyReady()
	h.gatewayReady()
	hears(h, "the proxy is ready again", func(events.ProxyReady) bool { return true })
	if handed := said[events.GatewayCertificate](h); len(handed) != 0 {
		t.Errorf("handed over again: %+v", handed)
	}
	if now := h.acme.Issued(); now != issued {
		t.Errorf("%d certificates issued by the second run", now-issued)
	}
}
