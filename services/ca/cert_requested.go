package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/claims"
	"github.com/phoenix-platform/phoenix/services/ca/request"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// patientDeliveries is how often a request for a name that nobody claims is
// heard again before it is refused: the claim may be on its way. That is about
// three seconds.
const patientDeliveries = 4

// The bounds of what is passed on as it came, in bytes.
const (
	maxHolder = 253
	maxID     = 256
)

// certRequested has the CA sign, and says cert.issued or, when the names are not
// the speaker's, cert.failed. The same request gets the same certificate again.
func (h *handlers) certRequested(ctx context.Context, e events.Event[events.CertRequested]) error {
	ask, err := askOf(e)
	if err != nil {
		return events.Invalid(err)
	}
	issued, err := h.signer.Sign(ctx, ask)
	switch {
	case err == nil:
		return h.issued.Say(ctx, issued)
	case !errors.Is(err, stepca.ErrRefused):
		return err
	case errors.Is(err, claims.ErrUnclaimed) && e.Deliveries <= patientDeliveries && e.ReplayedAt == 0:
		return err
	}
	h.log.InfoContext(ctx, "certificate refused", "names", ask.Names, "speaker", e.Speaker, "sequence", e.Sequence, "reason", err)
	failed := events.CertFailed{Names: ask.Names, Reason: err.Error(), Request: e.ID}
	if _, err := h.speaker.Publish(ctx, failed, events.WithKey(fmt.Sprint(e.Sequence))); err != nil {
		return fmt.Errorf("refuse a certificate: %w", err)
	}
	return nil
}

// askOf returns what is asked for. What is wrong with it no retry and no claim
// can mend.
func askOf(e events.Event[events.CertRequested]) (stepca.Ask, error) {
	if len(e.ID) > maxID {
		return stepca.Ask{}, fmt.Errorf("id of %d bytes is longer than %d", len(e.ID), maxID)
	}
	if len(e.Data.Holder) > maxHolder {
		return stepca.Ask{}, fmt.Errorf("holder of %d bytes is longer than %d", len(e.Data.Holder), maxHolder)
	}
	csr, names, err := request.Parse(e.Data.CSR, e.Data.Names)
	if err != nil {
		return stepca.Ask{}, err
	}
	holder := cmp.Or(e.Data.Holder, string(e.Speaker))
	return stepca.Ask{CSR: csr, Names: names, Speaker: string(e.Speaker), Holder: holder, Request: e.ID}, nil
}
