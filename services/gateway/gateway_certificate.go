package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

// serialPattern matches a serial of up to 20 bytes, the most that a certificate
// may have.
var serialPattern = regexp.MustCompile(`^([0-9a-f]{2}){1,20}$`)

// gatewayCertificate records that a host shall be served with the pair that
// lies sealed for it, or not any more.
func (h *handlers) gatewayCertificate(ctx context.Context, e events.Event[events.GatewayCertificate]) error {
	c := e.Data
	if err := checkCertificate(c, h.site.Domain); err != nil {
		return events.Invalid(err)
	}
	return h.ledger.SetWish(ctx, ledger.Wish{
		Origin: ledger.OriginOf(ctx, e.Meta), Host: c.Host, Service: c.Service, Serial: c.Serial,
		Said: e.Time, Withdrawn: c.Withdrawn,
	})
}

func checkCertificate(c events.GatewayCertificate, domain string) error {
	if err := name.Host(c.Host, domain); err != nil {
		return err
	}
	if c.Service != "" {
		if err := name.Service(c.Service); err != nil {
			return err
		}
	}
	if c.Withdrawn {
		return nil
	}
	if !serialPattern.MatchString(c.Serial) {
		return fmt.Errorf("serial is %.80q: want lower-case hexadecimal", c.Serial)
	}
	if want := events.SealedSubject(c.Host); c.Sealed != want {
		return fmt.Errorf("sealed is %.80q: want %s", c.Sealed, want)
	}
	return nil
}
