package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
)

func TestServesWhateverTheOrderOfArrival(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("order %d", seed), func(t *testing.T) {
			s := newStage(t)
			own, grafana := s.authority.Pair(t, ownHost), s.authority.Pair(t, "grafana."+domain)
			steps := []func(*testing.T){
				s.sayContainer, s.sayProxyContainer, s.sayRoot, s.sayProxy,
				s.handing("", own),
				s.handing("grafana", grafana),
			}
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
			s.run(t)
			for _, step := range steps {
				step(t)
			}
			s.awaitServed(t, own)
			s.awaitServed(t, grafana)
			awaitSaid(t, s.heard, "gateway.ready", func(r events.GatewayReady) bool {
				return len(r.Addresses) == 2 && r.Hosts > 0
			})
			awaitSaid(t, s.heard, "service.ready", func(r events.ServiceReady) bool {
				return r.Name == "grafana" && r.Host == grafana.Host && r.Serial == grafana.Serial && r.URL == s.url(grafana.Host)
			})
			awaitSaid(t, s.heard, "gateway.applied with both", func(a events.GatewayApplied) bool { return a.Total == 2 })
			for _, pair := range []seal.Pair{own, grafana} {
				eventually(t, "record of "+pair.Host, func() error {
					h, err := s.record(t, pair.Host)
					if err == nil && (h.State != events.StateReady || h.Serial != pair.Serial || !h.NotAfter.Equal(pair.NotAfter)) {
						err = fmt.Errorf("got %+v", h)
					}
					return err
				})
			}
			if n := len(said[events.GatewayReady](t, s.heard)); n != 1 {
				t.Errorf("gateway.ready was said %d times", n)
			}
			if failed := said[events.ServiceFailed](t, s.heard); len(failed) != 0 {
				t.Errorf("said %+v", failed)
			}
		})
	}
}

func TestEachContainerReadyIsAnswered(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	s.setUp(t)
	for n := 1; n <= 3; n++ {
		eventually(t, "gateway.ready", func() error {
			if got := len(said[events.GatewayReady](t, s.heard)); got != n {
				return fmt.Errorf("it was said %d times, want %d", got, n)
			}
			return nil
		})
		switch n {
		case 1:
			s.sayContainer(t)
		case 2: // while nobody listens
			stop()
			s.sayContainer(t)
			s.run(t)
		}
	}
}

func TestWithdrawnAndHandedAgain(t *testing.T) {
	s := newStage(t)
	s.run(t)
	own := s.setUp(t)
	pair := s.authority.Pair(t, "grafana."+domain)
	for round := 1; round <= 2; round++ {
		s.hand(t, "grafana", pair)
		s.awaitServed(t, pair)
		eventually(t, "service.ready once a round", func() error {
			if got := len(said[events.ServiceReady](t, s.heard)); got != round {
				return fmt.Errorf("it was said %d times, want %d", got, round)
			}
			return nil
		})
		say(t, s.proxyconf, events.GatewayCertificate{Host: pair.Host, Withdrawn: true})
		eventually(t, "it is refused", func() error {
			if _, err := s.probe(t, pair.Host); err == nil {
				return errors.New("it is still served")
			}
			return nil
		})
		eventually(t, "its record goes", func() error {
			if h, err := s.record(t, pair.Host); !errors.Is(err, events.ErrNotFound) {
				return fmt.Errorf("got %+v, %w", h, err)
			}
			return nil
		})
	}
	awaitSaid(t, s.heard, "that it was removed", func(a events.GatewayApplied) bool {
		return len(a.Removed) == 1 && a.Removed[0] == pair.Host && a.Total == 1
	})
	s.awaitServed(t, own)
}

func TestRenewal(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.setUp(t)
	for range 2 {
		pair := s.authority.Pair(t, "grafana."+domain)
		s.hand(t, "grafana", pair)
		s.awaitServed(t, pair)
		awaitSaid(t, s.heard, "service.ready", func(r events.ServiceReady) bool { return r.Serial == pair.Serial })
		awaitSaid(t, s.heard, "gateway.applied", func(a events.GatewayApplied) bool { return a.Hosts[pair.Host] == pair.Serial })
	}
}

func TestTellsHowItIs(t *testing.T) {
	s := newStage(t)
	s.run(t)
	ready := func(status int, part string) func() error {
		return func() error {
			got, body, err := s.ask(t, "readyz")
			if err == nil && (got != status || !strings.Contains(body, part)) {
				err = fmt.Errorf("got %d %s", got, body)
			}
			return err
		}
	}
	eventually(t, "it says what it waits for", ready(http.StatusServiceUnavailable, "root of the CA is not known yet"))
	s.sayRoot(t)
	s.sayProxyContainer(t)
	eventually(t, "it says that its own host is not served", ready(http.StatusServiceUnavailable, ownHost))
	s.hand(t, "", s.authority.Pair(t, ownHost))
	eventually(t, "it is ready without proxy.ready", ready(http.StatusOK, `"nginx":"ok"`))
	eventually(t, "it counts", func() error {
		_, metrics, err := s.ask(t, "metrics")
		for _, want := range []string{`phoenix_gateway_hosts{state="ready"} 1`, "phoenix_gateway_served_seconds_count 1", "phoenix_gateway_first_expiry_timestamp_seconds 1"} {
			if err == nil && !strings.Contains(metrics, want) {
				err = errors.New("metrics lack " + want)
			}
		}
		return err
	})
	if err := s.units.Stop(t.Context(), "101-nginx"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says that nginx does not run", ready(http.StatusServiceUnavailable, "nginx is inactive"))
}
