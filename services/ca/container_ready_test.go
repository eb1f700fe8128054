package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestContainerReadyBeginsToServe(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	eventually(t, func() error {
		if code, report := s.readiness(t); code != http.StatusServiceUnavailable || !strings.Contains(report["ca"], "container.ready") {
			return fmt.Errorf("not waiting: %d %v", code, report)
		}
		return nil
	})
	began := time.Now()
	s.containerReady(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	t.Logf("ca.ready after %s", time.Since(began))
	if ready.URL != "https://"+s.config.CA.Listen || ready.ACMEDirectory != ready.URL+"/acme/acme/directory" ||
		ready.Duration != 86400 || len(ready.RootFingerprint) != 64 {
		t.Errorf("said %+v", ready)
	}
	resp, err := client(t, ready).Get(ready.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	eventually(t, func() error {
		if code, report := s.readiness(t); code != http.StatusOK {
			return fmt.Errorf("not ready: %d %v", code, report)
		}
		return nil
	})
	state, _, err := events.Load[events.CAState](t.Context(), s.ops.Bucket(events.BucketCA), "ca")
	if err != nil || state.CAReady != ready || time.Since(state.Since) > time.Minute {
		t.Errorf("state %+v, %v", state, err)
	}
	// The CA's own certificate is told of as well.
	own := awaitSaid(t, s.heard, func(c events.CertIssued) bool { return c.Issuer == "own" })
	verify(t, ready, own.Chain, "ca."+domain)

	// Each container.ready is answered, so that a run that finds everything there
	// can end; a restart by itself says nothing.
	s.containerReady(t)
	eventually(t, func() error { return heardReadies(t, s, 2) })
	stop()
	stop = s.run(t)
	awaitSaid(t, s.heard, func(c events.CertIssued) bool { return c.Issuer == "own" && c.Serial != own.Serial })
	eventually(t, func() error {
		if code, _ := s.readiness(t); code != http.StatusOK {
			return errors.New("not ready after the restart")
		}
		return nil
	})
	if err := heardReadies(t, s, 2); err != nil {
		t.Error(err)
	}
	// What it says has changed.
	stop()
	s.config.CA.Duration = 2 * time.Hour
	s.saveConfig(t)
	s.run(t)
	if again := awaitSaid(t, s.heard, func(r events.CAReady) bool { return r.Duration == 7200 }); again.Root != ready.Root {
		t.Error("another root")
	}
}

func heardReadies(t *testing.T, s *stage, want int) error {
	t.Helper()
	if got := len(said[events.CAReady](t, s.heard)); got != want {
		return fmt.Errorf("ca.ready was said %d times; want %d", got, want)
	}
	return nil
}

func TestContainerReadyOfOthers(t *testing.T) {
	tests := map[string]struct {
		c    events.ContainerReady
		want string // reason of the dead letter; empty: settled
	}{
		"another stack":     {events.ContainerReady{Stack: "other", Role: events.RoleCA}, ""},
		"another address":   {events.ContainerReady{Stack: "home", Role: events.RoleCA, Address: "127.13.255.1"}, ""},
		"gateway":           {events.ContainerReady{Stack: "home", Role: events.RoleGateway}, ""},
		"unknown role":      {events.ContainerReady{Stack: "home", Role: "dns"}, "role is \"dns\""},
		"proxy nowhere":     {events.ContainerReady{Stack: "home", Role: events.RoleProxy, Address: "x;y"}, "want an IP address"},
		"proxy without":     {events.ContainerReady{Stack: "home", Role: events.RoleProxy, Address: "10.0.0.1"}, "https port"},
		"proxy on a bad":    {events.ContainerReady{Stack: "home", Role: events.RoleProxy, Address: "10.0.0.1", Ports: map[string]int{"https": 70000}}, "https port"},
		"proxy with a zone": {events.ContainerReady{Stack: "home", Role: events.RoleProxy, Address: "fe80::1%eth0", Ports: map[string]int{"https": 443}}, "want an IP address"},
	}
	s := newStage(t)
	h := s.handlers(t)
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			err := h.containerReady(context.Background(), events.Event[events.ContainerReady]{Meta: events.Meta{Sequence: 1}, Data: tt.c})
			if (err == nil) != (tt.want == "") || err != nil && (!events.IsInvalid(err) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
			if c, p, _ := h.book.Facts(); c.Known() || p.Known() {
				t.Errorf("recorded %+v, %+v", c, p)
			}
		})
	}
}

func TestCAThatCannotServeSaysWhy(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	s.containerReady(t)
	awaitSaid(t, s.heard, always[events.CAReady])
	stop()
	key := s.config.State + "/step/secrets/intermediate_ca_key"
	chmod(t, key, 0o644)
	s.run(t)
	eventually(t, func() error {
		code, report := s.readiness(t)
		if code != http.StatusServiceUnavailable || !strings.Contains(report["ca"], "chmod 600") {
			return fmt.Errorf("%d %v", code, report)
		}
		return nil
	})
	chmod(t, key, 0o600)
	eventually(t, func() error {
		if code, report := s.readiness(t); code != http.StatusOK {
			return fmt.Errorf("not mended: %d %v", code, report)
		}
		return nil
	})
}
