package main

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// kill ends a unit's process as a crash would, and waits for the next one.
func (s *stage) kill(t *testing.T, unitName string) {
	t.Helper()
	pid := s.pid(t, unitName)
	if pid == 0 {
		return // between two processes
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, unitName+" runs again", func() error {
		if now := s.pid(t, unitName); now == 0 || now == pid {
			return fmt.Errorf("process %d", now)
		}
		return nil
	})
}

func TestKilledWhileItIsSetUp(t *testing.T) {
	s := newStage(t)
	s.spawn(t)
	own, grafana := s.authority.Pair(t, ownHost), s.authority.Pair(t, "grafana."+domain)
	for _, step := range []func(*testing.T){
		s.sayContainer, s.sayProxyContainer, s.sayRoot, s.sayProxy,
		s.handing("", own),
		s.handing("grafana", grafana),
	} {
		step(t)
		s.kill(t, "101-gateway")
	}
	s.awaitServed(t, own)
	s.awaitServed(t, grafana)
	awaitSaid(t, s.heard, "gateway.ready", func(events.GatewayReady) bool { return true })
	awaitSaid(t, s.heard, "service.ready", func(r events.ServiceReady) bool { return r.Serial == grafana.Serial })
	awaitSaid(t, s.heard, "what it serves", func(a events.GatewayApplied) bool { return a.Total == 2 })
}

func TestKillingDisturbsNobody(t *testing.T) {
	s := newStage(t)
	s.spawn(t)
	own := s.setUp(t)
	s.awaitServed(t, own)
	served := func(what string) {
		t.Helper()
		if serial, err := s.probe(t, ownHost); err != nil || serial != own.Serial {
			t.Errorf("%s: got %s, %v", what, serial, err)
		}
	}
	nginx := s.pid(t, "101-nginx")
	s.kill(t, "101-gateway")
	served("right after the gateway was killed")
	pair := s.authority.Pair(t, "grafana."+domain)
	s.hand(t, "grafana", pair)
	s.awaitServed(t, pair)
	if s.pid(t, "101-nginx") != nginx {
		t.Error("nginx was started again")
	}

	s.kill(t, "101-nginx")
	s.awaitServed(t, own)
	s.awaitServed(t, pair)
	renewed := s.authority.Pair(t, pair.Host)
	s.hand(t, "grafana", renewed)
	s.awaitServed(t, renewed)
	awaitSaid(t, s.heard, "service.ready for the renewal", func(r events.ServiceReady) bool { return r.Serial == renewed.Serial })
	if n := len(said[events.GatewayReady](t, s.heard)); n != 1 {
		t.Errorf("gateway.ready was said %d times", n)
	}
}
