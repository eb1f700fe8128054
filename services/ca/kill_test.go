package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// TestKillLosesNoCertificate kills the service again and again while it signs by
// ACME and over the bus. Afterwards every certificate in the CA's database was
// told of, and every request was answered by exactly one.
func TestKillLosesNoCertificate(t *testing.T) {
	s := newStage(t)
	s.register(t, "grafana")
	s.proxyReady(t)
	s.containerReady(t)
	kill := s.spawn(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	name := "grafana." + domain

	ctx, cancel := context.WithCancel(t.Context())
	var ordering sync.WaitGroup
	acmeClient := s.acme(t, ready)
	csr := acmetest.CSR(t, acmetest.Key(t), name)
	ordering.Go(func() {
		for ctx.Err() == nil {
			_, _ = acmeClient.Certificate(ctx, csr) // that some fail is the point
		}
	})
	var asked int
	for round := range 5 {
		before := len(said[events.CertIssued](t, s.heard))
		for range 8 {
			publish(t, s.ops, events.CertRequested{CSR: csrPEM(t, name), Names: []string{name}, Holder: "h" + strconv.Itoa(asked)})
			asked++
		}
		eventually(t, func() error {
			if now := len(said[events.CertIssued](t, s.heard)); now < before+3+round {
				return fmt.Errorf("%d certificates after the start, %d now", before, now)
			}
			return nil
		})
		kill()
		kill = s.spawn(t)
	}
	cancel()
	ordering.Wait()
	eventually(t, func() error { return answered(t, s, asked) })
	kill()

	stored := signedIn(t, s)
	s.run(t)
	eventually(t, func() error {
		told := serialsOf(said[events.CertIssued](t, s.heard))
		untold := slices.DeleteFunc(slices.Clone(stored), func(serial string) bool { return slices.Contains(told, serial) })
		if len(untold) > 0 {
			return fmt.Errorf("%d of %d are not told of", len(untold), len(stored))
		}
		return nil
	})
	t.Logf("%d certificates, %d asked for over the bus", len(stored), asked)
}

// answered says whether each request was answered by one certificate.
func answered(t *testing.T, s *stage, asked int) error {
	t.Helper()
	byHolder := map[string]map[string]bool{}
	for _, c := range said[events.CertIssued](t, s.heard) {
		if c.Issuer != "bus" {
			continue
		}
		if byHolder[c.Holder] == nil {
			byHolder[c.Holder] = map[string]bool{}
		}
		byHolder[c.Holder][c.Serial] = true
	}
	if len(byHolder) != asked {
		return fmt.Errorf("%d of %d requests are answered", len(byHolder), asked)
	}
	for holder, serials := range byHolder {
		if len(serials) != 1 {
			t.Fatalf("%s was answered by %q", holder, slices.Collect(maps.Keys(serials)))
		}
	}
	return nil
}

// signedIn reads the CA's database.
func signedIn(t *testing.T, s *stage) []string {
	t.Helper()
	site, err := siteOf(s.config)
	if err != nil {
		t.Fatal(err)
	}
	o := site.authority
	o.Signed, o.Log = func(stepca.Certificate) {}, slog.New(slog.DiscardHandler)
	ca, err := stepca.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ca.Close() }()
	list, err := ca.Signed(func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		out = append(out, c.Serial)
	}
	return out
}

// TestBusAwayLosesNoCertificate signs while the bus is away.
func TestBusAwayLosesNoCertificate(t *testing.T) {
	s := newStage(t)
	s.register(t, "grafana")
	s.proxyReady(t)
	s.containerReady(t)
	s.run(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	acmeClient := s.acme(t, ready)
	csr := acmetest.CSR(t, acmetest.Key(t), "grafana."+domain)
	if _, err := acmeClient.Certificate(t.Context(), csr); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		for range 10 {
			if _, err := acmeClient.Certificate(ctx, csr); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	s.bus.Restart(t)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		told, err := events.All[events.CertState](t.Context(), s.ops.Bucket(events.BucketCA), "cert.")
		if err != nil {
			return err
		}
		n := 0
		for _, c := range told {
			if c.Issuer == "acme" {
				n++
			}
		}
		if n != 11 {
			return fmt.Errorf("%d of 11 are told of", n)
		}
		return nil
	})
}
