package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

func TestPairThatCannotBeHadIsMissing(t *testing.T) {
	host := "grafana." + domain
	stranger, _, _ := curve(t)
	for _, row := range []struct {
		name   string
		store  func(*testing.T, *stage, seal.Pair)
		reason string
	}{
		{"not there", func(t *testing.T, _ *stage, _ seal.Pair) { t.Helper() }, "not found"},
		{"sealed by somebody else", func(t *testing.T, s *stage, p seal.Pair) {
			t.Helper()
			s.store(t, p, stranger)
		}, "decrypt"},
		{"of another CA", func(t *testing.T, s *stage, _ seal.Pair) {
			t.Helper()
			s.store(t, nginxtest.NewCA(t).Pair(t, host), s.sender)
		}, "unknown authority"},
		{"another than announced", func(t *testing.T, s *stage, _ seal.Pair) {
			t.Helper()
			s.store(t, s.authority.Pair(t, host), s.sender)
		}, "announced"},
		{"not sealed at all", func(t *testing.T, s *stage, p seal.Pair) {
			t.Helper()
			if _, _, err := s.proxyconf.PutSealed(t.Context(), host, p.Chain); err != nil {
				t.Fatal(err)
			}
		}, "encrypt"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t)
			s.run(t)
			own := s.setUp(t)
			pair := s.authority.Pair(t, host)
			row.store(t, s, pair)
			s.announce(t, "grafana", pair)
			awaitSaid(t, s.heard, "that it is missing", func(a events.GatewayApplied) bool { return slices.Contains(a.Missing, host) })
			awaitSaid(t, s.heard, "service.failed", func(f events.ServiceFailed) bool {
				return f.Name == "grafana" && f.Host == host && strings.Contains(f.Reason, row.reason)
			})
			if _, err := s.probe(t, host); err == nil {
				t.Error("it is served")
			}
			s.awaitServed(t, own)
			s.hand(t, "grafana", pair)
			s.awaitServed(t, pair)
			awaitSaid(t, s.heard, "service.ready", func(r events.ServiceReady) bool { return r.Serial == pair.Serial })
		})
	}
}

func TestFormerPairServesUntilTheNextIsGood(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.setUp(t)
	pair := s.authority.Pair(t, "grafana."+domain)
	s.hand(t, "grafana", pair)
	s.awaitServed(t, pair)
	s.announce(t, "grafana", s.authority.Pair(t, pair.Host))
	awaitSaid(t, s.heard, "what is missing and what is served", func(a events.GatewayApplied) bool {
		return slices.Contains(a.Missing, pair.Host) && a.Hosts[pair.Host] == pair.Serial
	})
	s.awaitServed(t, pair)
	eventually(t, "it is recorded as degraded", func() error {
		h, err := s.record(t, pair.Host)
		if err == nil && (h.State != events.StateDegraded || h.Serial != pair.Serial || h.Reason == "") {
			err = fmt.Errorf("got %+v", h)
		}
		return err
	})
}

func TestRefusedConfigurationIsTold(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	own := s.setUp(t)
	s.awaitServed(t, own)
	stop()
	good := s.config.Gateway.HTTP
	s.config.Gateway.HTTP = []string{"192.0.2.1:8080"}
	s.saveConfig(t)
	stop = s.run(t)
	awaitSaid(t, s.heard, "why", func(a events.GatewayApplied) bool { return strings.Contains(a.Error, "192.0.2.1:8080") })
	s.awaitServed(t, own)
	stop()
	s.config.Gateway.HTTP = good
	s.saveConfig(t)
	s.run(t)
	eventually(t, "no error is told", func() error {
		all := said[events.GatewayApplied](t, s.heard)
		if last := all[len(all)-1]; last.Error != "" || last.Total != 1 {
			return fmt.Errorf("got %+v", last)
		}
		return nil
	})
}

func TestNewRootIsUsedAtOnce(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.setUp(t)
	pair := s.authority.Pair(t, "grafana."+domain)
	s.hand(t, "grafana", pair)
	s.awaitServed(t, pair)

	s.authority = nginxtest.NewCA(t)
	s.sayRoot(t)
	awaitSaid(t, s.heard, "that pairs of the former root are missing", func(a events.GatewayApplied) bool {
		return slices.Contains(a.Missing, ownHost) || slices.Contains(a.Missing, pair.Host)
	})
	s.traefik = nginxtest.StartTraefik(t, ip, s.authority.Pair(t, proxyHost))
	s.sayProxy(t)
	own, next := s.authority.Pair(t, ownHost), s.authority.Pair(t, pair.Host)
	s.hand(t, "", own)
	s.hand(t, "grafana", next)
	s.awaitServed(t, own)
	s.awaitServed(t, next)
}

func TestWhatACrashLeft(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	own := s.setUp(t)
	pair := s.authority.Pair(t, "grafana."+domain)
	s.hand(t, "grafana", pair)
	s.awaitServed(t, pair)
	stop()
	folder := filepath.Join(s.config.State, "nginx", "pairs")
	orphan := s.authority.Pair(t, "orphan."+domain)
	for _, half := range []string{"odd", "even"} {
		for name, content := range map[string][]byte{
			".new-7": []byte("half"), orphan.Host: slices.Concat(orphan.Chain, orphan.Key), pair.Host: []byte("damaged"),
		} {
			if err := os.WriteFile(filepath.Join(folder, half, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.run(t)
	s.awaitServed(t, pair)
	s.awaitServed(t, own)
	eventually(t, "nobody's files are gone", func() error {
		for _, half := range []string{"odd", "even"} {
			entries, err := os.ReadDir(filepath.Join(folder, half))
			if err != nil || len(entries) != 2 {
				return fmt.Errorf("%s has %v, %w", half, entries, err)
			}
		}
		return nil
	})
}

func TestLostBusTakesNothingAway(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	own := s.setUp(t)
	s.awaitServed(t, own)
	stop()
	other := newStage(t)
	other.config.State, other.config.Gateway, other.config.Curve = s.config.State, s.config.Gateway, s.config.Curve
	other.saveConfig(t)
	other.run(t)
	eventually(t, "the gateway answers", func() error { _, _, err := other.ask(t, "healthz"); return err })
	s.awaitServed(t, own)
	if _, err := os.Stat(filepath.Join(s.config.State, "nginx", "pairs", "even", ownHost)); err != nil {
		t.Error(err)
	}
}

func TestBusRestarts(t *testing.T) {
	s := newStage(t)
	s.run(t)
	own := s.setUp(t)
	s.awaitServed(t, own)
	s.bus.Restart(t)
	pair := s.authority.Pair(t, "grafana."+domain)
	s.hand(t, "grafana", pair)
	s.awaitServed(t, pair)
	eventually(t, "its record is written", func() error { _, err := s.record(t, pair.Host); return err })
}

func TestEndsSoon(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	s.setUp(t)
	pair := s.authority.Pair(t, "grafana."+domain)
	s.hand(t, "grafana", pair)
	s.awaitServed(t, pair)
	// A pair with another key waits for its moment; ending does not.
	renewed := s.authority.Pair(t, pair.Host)
	s.hand(t, "grafana", renewed)
	book := s.bus.Connect(t, events.Ops).Bucket(events.BucketGateway)
	eventually(t, "the wish is recorded", func() error {
		w, _, err := events.Load[ledger.Wish](t.Context(), book, "wish."+pair.Host)
		if err == nil && w.Serial != renewed.Serial {
			err = fmt.Errorf("got %+v", w)
		}
		return err
	})
	start := time.Now()
	stop()
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %s to end", took)
	}
	s.run(t)
	s.awaitServed(t, renewed)
}
