package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// TestAnyOrderOfArrival says everything before proxyconf is there, or bit by bit.
func TestAnyOrderOfArrival(t *testing.T) {
	steps := map[string]func(*house){
		"ca": (*house).caReady, "proxy": (*house).proxyReady, "gateway": (*house).gatewayReady,
		"service": func(h *house) { h.register("grafana") }, "start": (*house).start,
	}
	for _, order := range [][]string{
		{"service", "gateway", "proxy", "ca", "start"},
		{"start", "gateway", "service", "ca", "proxy"},
		{"proxy", "start", "service", "ca", "gateway"},
	} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			h := newHouse(t)
			for _, step := range order {
				steps[step](h)
			}
			hears(h, "the proxy is ready", func(events.ProxyReady) bool { return true })
			ready := hears(h, "grafana is ready", func(s events.ServiceReady) bool { return s.Name == "grafana" })
			h.serves(host("grafana"), "I am grafana")
			h.handed(host("grafana"), ready.Serial)
			own := hears(h, "the gateway's own host", func(c events.GatewayCertificate) bool { return c.Host == host("gateway") })
			h.opens(host("gateway"), own.Serial)
			if own.Service != "" {
				t.Errorf("the gateway's own host belongs to service %q", own.Service)
			}
		})
	}
}

func TestRestartFindsEverythingAsItWas(t *testing.T) {
	h := ready(t)
	first := h.register("first")
	h.register("second")
	h.state("first", events.StateReady)
	h.state("second", events.StateReady)
	before, _ := h.units.Status(t.Context(), "102-traefik")
	h.stop()

	h.serves(host("first"), first)
	h.remove("second")
	third := h.register("third")
	issued := h.acme.Issued()
	h.forgets()
	h.start()
	h.state("third", events.StateReady)
	h.serves(host("third"), third)
	h.state("second", events.StateAbsent)
	hears(h, "second is withdrawn", func(c events.GatewayCertificate) bool { return c.Host == host("second") && c.Withdrawn })

	after, err := h.units.Status(t.Context(), "102-traefik")
	if err != nil || after.PID != before.PID {
		t.Errorf("Traefik had the process %d, and has %d; %v", before.PID, after.PID, err)
	}
	if now := h.acme.Issued(); now != issued+1 {
		t.Errorf("%d certificates issued, want 1", now-issued)
	}
	for _, s := range said[events.ServiceReady](h) {
		if s.Name != "third" {
			t.Errorf("said again: %+v", s)
		}
	}
	if again := said[events.ProxyReady](h); len(again) != 0 {
		t.Errorf("said again: %+v", again)
	}
}

// ready returns a house whose proxy and gateway are ready.
func ready(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.start()
	h.caReady()
	h.proxyReady()
	h.gatewayReady()
	hears(h, "the proxy is ready", func(events.ProxyReady) bool { return true })
	return h
}

func TestAnotherBackendChangesTheRouteAlone(t *testing.T) {
	h := ready(t)
	h.register("grafana")
	before := h.state("grafana", events.StateReady)
	h.handed(host("grafana"), before.Serials[host("grafana")])
	issued := h.acme.Issued()
	h.forgets()
	h.publish(h.ops, events.ServiceRegistered{Name: "grafana", URL: serveText(t, "elsewhere", nil)})
	h.serves(host("grafana"), "elsewhere")
	hears(h, "grafana is ready", func(s events.ServiceReady) bool { return s.Name == "grafana" })
	after := h.state("grafana", events.StateReady)
	if after.Backend == before.Backend || after.Serials[host("grafana")] != before.Serials[host("grafana")] {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if now := h.acme.Issued(); now != issued {
		t.Errorf("%d certificates issued", now-issued)
	}
	if handed := said[events.GatewayCertificate](h); len(handed) != 0 {
		t.Errorf("handed over: %+v", handed)
	}
}

func TestSeveralHosts(t *testing.T) {
	h := ready(t)
	body := h.register("wiki", host("wiki"), host("docs"))
	state := h.state("wiki", events.StateReady)
	if len(state.Serials) != 2 || state.Serials[host("wiki")] == state.Serials[host("docs")] {
		t.Errorf("want a certificate for each host: %+v", state)
	}
	h.serves(host("wiki"), body)
	h.serves(host("docs"), body)
	h.register("wiki", host("wiki"))
	hears(h, "docs is withdrawn", func(c events.GatewayCertificate) bool { return c.Host == host("docs") && c.Withdrawn })
	h.eventually("docs is given back", func() error {
		if len(h.state("wiki", events.StateReady).Hosts) != 1 {
			return fmt.Errorf("not yet")
		}
		return nil
	})
}

func TestManyAtOnce(t *testing.T) {
	const many = 30
	h := ready(t)
	url := serveText(t, "one of many", nil)
	for i := range many {
		h.publish(h.ops, events.ServiceRegistered{Name: fmt.Sprintf("s%d", i), URL: url})
	}
	h.eventuallyWithin(2*time.Minute, "all are served", func() error {
		states, err := events.All[events.ServiceState](h.within(10*time.Second), h.ops.Bucket(events.BucketProxyconf), "service.")
		ready := 0
		for _, s := range states {
			if s.State == events.StateReady {
				ready++
			}
		}
		if err == nil && ready < many {
			err = fmt.Errorf("%d of %d", ready, many)
		}
		return err
	})
	for i := range many {
		h.serves(host(fmt.Sprintf("s%d", i)), "one of many")
	}
	if applied := said[events.ProxyApplied](h); len(applied) > many {
		t.Errorf("routes were applied %d times for %d services: not gathered", len(applied), many)
	}
}

func TestBusRestart(t *testing.T) {
	h := ready(t)
	first := h.register("first")
	h.state("first", events.StateReady)
	h.srv.Restart(t)
	second := h.register("second")
	h.state("second", events.StateReady)
	h.serves(host("first"), first)
	h.serves(host("second"), second)
	h.remove("first")
	h.state("first", events.StateAbsent)
}

func TestHostMovesToAnotherService(t *testing.T) {
	h := ready(t)
	h.register("first", host("shared"))
	serial := h.state("first", events.StateReady).Serials[host("shared")]
	h.handed(host("shared"), serial)
	h.remove("first")
	second := h.register("second", host("shared"))
	h.state("second", events.StateReady)
	h.serves(host("shared"), second)
	hears(h, "the gateway knows whose it is", func(c events.GatewayCertificate) bool {
		return c.Host == host("shared") && c.Service == "second" && c.Serial == serial
	})
}

// TestRenewal has Traefik renew at its start what ends soon.
func TestRenewal(t *testing.T) {
	h := newHouse(t)
	h.acme.SetLife(5 * time.Hour)
	h.start()
	h.caReady()
	h.proxyReady()
	h.gatewayReady()
	h.register("grafana")
	before := h.state("grafana", events.StateReady).Serials[host("grafana")]
	own := hears(h, "the proxy is ready", func(events.ProxyReady) bool { return true })
	h.handed(host("grafana"), before)
	h.acme.SetLife(24 * time.Hour)
	h.forgets()
	h.killTraefik(func() {})
	now := hears(h, "grafana is ready with another certificate", func(s events.ServiceReady) bool {
		return s.Name == "grafana" && s.Serial != before
	})
	h.handed(host("grafana"), now.Serial)
	h.eventually("the new serial is recorded", func() error {
		if s := h.state("grafana", events.StateReady); s.Serials[host("grafana")] != now.Serial {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	hears(h, "the proxy's own certificate was renewed", func(p events.ProxyReady) bool { return p.Serial != own.Serial })
}
