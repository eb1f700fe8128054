package main

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/crypto/acme"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestServiceRemovedIsNotCertified(t *testing.T) {
	s := newStage(t)
	stop := s.run(t)
	s.containerReady(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	acmeClient := s.acme(t, ready)
	order := func() error {
		_, err := acmeClient.AuthorizeOrder(t.Context(), acme.DomainIDs("grafana."+domain))
		return err
	}
	s.register(t, "grafana")
	if err := order(); err != nil {
		t.Fatal(err)
	}
	publish(t, s.ops, events.ServiceRemoved{Name: "grafana"})
	refused := func() {
		t.Helper()
		eventually(t, func() error {
			err := order()
			if err != nil && strings.Contains(err.Error(), "not claimed by any service") {
				return nil
			}
			return errStill
		})
	}
	refused()
	stop()
	s.run(t)
	refused()
}

func TestServiceRemovedOfAnother(t *testing.T) {
	s := newStage(t)
	h := s.handlers(t)
	register := events.Event[events.ServiceRegistered]{
		Meta: events.Meta{Sequence: 1, Speaker: events.Ops}, Data: events.ServiceRegistered{Name: "grafana", URL: "http://10.0.0.5"},
	}
	if err := h.serviceRegistered(context.Background(), register); err != nil {
		t.Fatal(err)
	}
	remove := events.Event[events.ServiceRemoved]{
		Meta: events.Meta{Sequence: 2, Speaker: events.Provisioner}, Data: events.ServiceRemoved{Name: "grafana"},
	}
	if err := h.serviceRemoved(context.Background(), remove); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.book.Claimed("grafana." + domain); !ok {
		t.Error("somebody else removed it")
	}
}
