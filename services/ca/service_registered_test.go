package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestServiceRegisteredIsCertified(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.proxyReady(t)
	s.containerReady(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	acmeClient := s.acme(t, ready)
	names := []string{"gateway", "proxy", "probe", "grafana"} // the stack's own need no registration
	s.register(t, "grafana")
	for _, label := range names {
		name := label + "." + domain
		chain, err := acmeClient.Certificate(t.Context(), acmetest.CSR(t, acmetest.Key(t), name))
		if err != nil {
			t.Fatal(err)
		}
		told := awaitSaid(t, s.heard, func(c events.CertIssued) bool { return c.Names[0] == name })
		leaf := verify(t, ready, told.Chain, name)
		if string(leaf.Raw) != string(chain[0]) || told.Serial != stepca.Serial(leaf.SerialNumber) || told.Issuer != "acme" || told.Provisioner != "acme" {
			t.Errorf("told of %+v", told)
		}
		eventually(t, func() error {
			state, _, err := events.Load[events.CertState](t.Context(), s.ops.Bucket(events.BucketCA), "cert."+told.Serial)
			if err != nil {
				return err
			}
			if state.Serial != told.Serial || !state.NotAfter.Equal(told.NotAfter) || state.Issuer != "acme" {
				return fmt.Errorf("state %+v", state)
			}
			return nil
		})
	}
}

// TestServiceRegisteredLate orders before the registration is heard, as Traefik
// may: it hears of a service by another road, and tries once.
func TestServiceRegisteredLate(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.proxyReady(t)
	s.containerReady(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	acmeClient := s.acme(t, ready)
	csr := acmetest.CSR(t, acmetest.Key(t), "grafana."+domain)
	var group errgroup.Group
	group.Go(func() error {
		_, err := acmeClient.Certificate(t.Context(), csr)
		return err
	})
	time.Sleep(200 * time.Millisecond)
	s.register(t, "grafana")
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestServiceRegisteredRefused(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.containerReady(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	for _, r := range []events.ServiceRegistered{
		{Name: "ca", URL: "http://127.13.0.200:1"},
		{Name: "evil", Hosts: []string{"bus." + domain}, URL: "http://127.13.0.200:1"},
		{Name: "evil", Hosts: []string{"*." + domain}, URL: "http://127.13.0.200:1"},
		{Name: "evil", Hosts: []string{"example.com"}, URL: "http://127.13.0.200:1"},
	} {
		publish(t, s.ops, r)
	}
	s.register(t, "last")
	acmeClient := s.acme(t, ready)
	if _, err := acmeClient.AuthorizeOrder(t.Context(), acme.DomainIDs("last."+domain)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca." + domain, "bus." + domain, "*." + domain, "example.com"} {
		_, err := acmeClient.AuthorizeOrder(t.Context(), acme.DomainIDs(name))
		if err == nil || !strings.Contains(err.Error(), "rejectedIdentifier") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if letters := s.deadLetters(t); len(letters) > 0 { // proxyconf makes them
		t.Errorf("dead letters: %q", letters)
	}
}
