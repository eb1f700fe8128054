package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/claims"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestCertRequested(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.containerReady(t)
	ready := awaitSaid(t, s.heard, always[events.CAReady])
	s.register(t, "grafana")
	name := "grafana." + domain
	tests := map[string]struct {
		speaker events.Identity
		names   []string
		fails   string // reason of cert.failed; empty: issued
	}{
		"the operator for a service":    {events.Ops, []string{name}, ""},
		"the operator for a backend":    {events.Ops, []string{name, "127.13.0.200"}, ""},
		"the operator for the bus":      {events.Ops, []string{"bus." + domain}, ""},
		"the gateway for itself":        {events.Gateway, []string{"gateway." + domain}, ""},
		"proxyconf for its own":         {events.Proxyconf, []string{"proxy." + domain, "gateway." + domain, "probe." + domain}, ""},
		"the gateway for a service":     {events.Gateway, []string{name}, "belongs to service"},
		"the gateway for the bus":       {events.Gateway, []string{"bus." + domain}, "stack's own"},
		"the provisioner for another's": {events.Provisioner, []string{name}, "which ops registered"},
		"nobody claims it":              {events.Ops, []string{"other." + domain}, "not claimed"},
		"outside the domain":            {events.Ops, []string{"example.com"}, "not below the domain"},
		"the CA itself":                 {events.Ops, []string{"ca." + domain}, "stack's own"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			ack := publish(t, s.bus.Connect(t, tt.speaker), events.CertRequested{CSR: csrPEM(t, tt.names...), Names: tt.names, Holder: "me"})
			if tt.fails != "" {
				failed := awaitSaid(t, s.heard, func(f events.CertFailed) bool {
					return strings.Join(f.Names, " ") == strings.Join(tt.names, " ") && strings.Contains(f.Reason, tt.fails)
				})
				if failed.Request == "" {
					t.Errorf("said %+v", failed)
				}
				return
			}
			issued := awaitSaid(t, s.heard, func(c events.CertIssued) bool {
				return c.Issuer == "bus" && len(c.Names) == len(tt.names) && c.Names[0] == firstOf(tt.names)
			})
			if issued.Holder != "me" || issued.Provisioner != "bus" || issued.Request == "" {
				t.Errorf("said %+v, asked at %d", issued, ack.Sequence)
			}
			for _, n := range tt.names {
				verify(t, ready, issued.Chain, n)
			}
		})
	}
}

// firstOf returns the DNS name that comes first: they are told before addresses.
func firstOf(names []string) string {
	first := names[0]
	for _, n := range names {
		if n < first && n[0] > '9' {
			first = n
		}
	}
	return first
}

// TestCertRequestedBeforeRegistration asks first: the claim is on its way.
func TestCertRequestedBeforeRegistration(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.containerReady(t)
	awaitSaid(t, s.heard, always[events.CAReady])
	name := "grafana." + domain
	publish(t, s.ops, events.CertRequested{CSR: csrPEM(t, name), Names: []string{name}})
	s.register(t, "grafana")
	issued := awaitSaid(t, s.heard, func(c events.CertIssued) bool { return c.Issuer == "bus" })
	if issued.Holder != "ops" {
		t.Errorf("holder %q", issued.Holder)
	}
	if failed := said[events.CertFailed](t, s.heard); len(failed) != 0 {
		t.Errorf("failed: %+v", failed)
	}
}

// TestCertRequestedTwice sends one request twice, the second time outside of the
// bus's own memory of messages.
func TestCertRequestedTwice(t *testing.T) {
	s := newStage(t)
	s.run(t)
	s.containerReady(t)
	awaitSaid(t, s.heard, always[events.CAReady])
	s.register(t, "grafana")
	name := "grafana." + domain
	payload := fmt.Sprintf(`{"csr":%q,"names":[%q]}`, csrPEM(t, name), name)
	for range 2 {
		msg := nats.NewMsg("cert.requested")
		msg.Header.Set("ce-id", "request-7")
		msg.Data = []byte(payload)
		if _, err := s.ops.JetStream().PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	// The third one is answered after them.
	publish(t, s.ops, events.CertRequested{CSR: csrPEM(t, name), Names: []string{name}})
	awaitSaid(t, s.heard, func(c events.CertIssued) bool { return c.Issuer == "bus" && c.Request != "request-7" })
	var got []string
	for _, c := range said[events.CertIssued](t, s.heard) {
		if c.Request == "request-7" {
			got = append(got, c.Serial)
		}
	}
	if len(got) != 1 {
		t.Errorf("the request was answered by %q", got)
	}
}

func TestCertRequestedInvalidIsDeadLetter(t *testing.T) {
	s := newStage(t)
	s.run(t)
	publish(t, s.ops, events.CertRequested{CSR: "nonsense", Names: []string{"a." + domain}})
	if _, err := s.ops.JetStream().Publish(t.Context(), "cert.requested", []byte(`{"csr":1}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := s.deadLetters(t); len(got) != 2 {
			return fmt.Errorf("dead letters %q", got)
		}
		return nil
	})
}

func TestCertRequestedFates(t *testing.T) {
	name := "grafana." + domain
	unclaimed := fmt.Errorf("%w: %w", stepca.ErrRefused, claims.ErrUnclaimed)
	tests := map[string]struct {
		err        error
		deliveries int
		later      bool
		failed     bool
	}{
		"signed":                 {nil, 1, false, false},
		"the CA is away":         {errors.New("away"), 30, true, false},
		"refused":                {fmt.Errorf("%w: no", stepca.ErrRefused), 1, false, true},
		"not claimed yet":        {unclaimed, patientDeliveries, true, false},
		"not claimed in the end": {unclaimed, patientDeliveries + 1, false, true},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			speaker, teller := &fakeSpeaker{}, &fakeTeller{}
			h := &handlers{signer: &fakeSigner{err: tt.err}, speaker: speaker, issued: teller, log: slog.New(slog.DiscardHandler)}
			err := h.certRequested(context.Background(), events.Event[events.CertRequested]{
				Meta: events.Meta{ID: "r", Speaker: events.Ops, Deliveries: tt.deliveries},
				Data: events.CertRequested{CSR: csrPEM(t, name), Names: []string{name}},
			})
			if (err != nil) != tt.later || events.IsInvalid(err) {
				t.Errorf("got %v; later: %v", err, tt.later)
			}
			if (len(speaker.said) == 1) != tt.failed || (len(teller.told) == 1) != (tt.err == nil) {
				t.Errorf("said %+v, told %+v", speaker.said, teller.told)
			}
		})
	}
}

func TestCertRequestedBounds(t *testing.T) {
	name := "grafana." + domain
	tests := map[string]struct {
		change func(*events.Event[events.CertRequested])
		want   string
	}{
		"long holder": {func(e *events.Event[events.CertRequested]) { e.Data.Holder = strings.Repeat("h", 1000) }, "holder of 1000"},
		"long id":     {func(e *events.Event[events.CertRequested]) { e.ID = strings.Repeat("i", 1000) }, "id of 1000"},
		"no csr":      {func(e *events.Event[events.CertRequested]) { e.Data.CSR = "" }, "not one certificate request"},
		"other names": {func(e *events.Event[events.CertRequested]) { e.Data.Names = []string{"other." + domain} }, "must be the same"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			e := events.Event[events.CertRequested]{Data: events.CertRequested{CSR: csrPEM(t, name), Names: []string{name}}}
			tt.change(&e)
			err := (&handlers{}).certRequested(context.Background(), e)
			if !events.IsInvalid(err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
		})
	}
}
