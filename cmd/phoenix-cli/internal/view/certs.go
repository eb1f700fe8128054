package view

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// CertValidity tells whether a certificate may still be used.
type CertValidity string

// The states of a certificate.
const (
	CertValid    CertValidity = "valid"
	CertExpiring CertValidity = "expiring"
	CertExpired  CertValidity = "expired"
	CertRevoked  CertValidity = "revoked"
)

// Cert is one certificate that the CA has signed.
type Cert struct {
	Serial      string       `json:"serial"` // lower-case hexadecimal, as openssl x509 -serial shows it
	Names       []string     `json:"names"`
	Provisioner string       `json:"provisioner"`
	Issuer      string       `json:"issuer"`
	NotBefore   time.Time    `json:"not_before"`
	NotAfter    time.Time    `json:"not_after"`
	Holder      string       `json:"holder"`
	State       CertValidity `json:"state"`
}

// Certs returns the certificates, the newest first, those for the given names
// only when there are any.
func Certs(now time.Time, list []events.CertState, names []string) []Cert {
	out := make([]Cert, 0, len(list))
	for _, c := range list {
		if len(names) > 0 && !slices.ContainsFunc(c.Names, func(n string) bool { return slices.Contains(names, n) }) {
			continue
		}
		out = append(out, Cert{
			Serial: strings.ToLower(c.Serial), Names: append([]string{}, c.Names...), Provisioner: c.Provisioner,
			Issuer: c.Issuer, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Holder: c.Holder, State: certState(now, c),
		})
	}
	slices.SortFunc(out, func(a, b Cert) int {
		return cmp.Or(b.NotBefore.Compare(a.NotBefore), cmp.Compare(a.Serial, b.Serial))
	})
	return out
}

// expiringAt is the part of a certificate's life after which somebody should
// have renewed it: that is due at two thirds or three quarters.
const expiringAt = 0.8

func certState(now time.Time, c events.CertState) CertValidity {
	life := c.NotAfter.Sub(c.NotBefore)
	switch {
	case c.Revoked:
		return CertRevoked
	case !now.Before(c.NotAfter):
		return CertExpired
	case float64(now.Sub(c.NotBefore)) > expiringAt*float64(life):
		return CertExpiring
	}
	return CertValid
}

// CertsText writes the certificates as a table.
func CertsText(w io.Writer, style Style, now time.Time, certs []Cert) error {
	if len(certs) == 0 {
		_, err := io.WriteString(w, "No certificates.\n")
		return err
	}
	t := NewTable(style, "SERIAL", "STATE", "LEFT", "ISSUER", "HOLDER", "NAMES")
	for _, c := range certs {
		left := "-"
		if d := c.NotAfter.Sub(now); d > 0 {
			left = Duration(d)
		}
		t.Row(c.Serial, certStyle(style, c.State), left, Clean(c.Issuer), Clean(cmp.Or(c.Holder, "-")),
			Clean(strings.Join(c.Names, " ")))
	}
	_, err := t.WriteTo(w)
	return err
}

func certStyle(style Style, s CertValidity) string {
	switch s {
	case CertValid:
		return style.Good(string(s))
	case CertExpiring:
		return style.Busy(string(s))
	case CertExpired:
		return style.Dim(string(s))
	}
	return style.Bad(string(s))
}
