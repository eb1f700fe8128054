package stepca

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/smallstep/certificates/authority/provisioner"
)

// Certificate is one that the CA signed.
type Certificate struct {
	Serial              string // as [Serial] renders it
	Names               []string
	NotBefore, NotAfter time.Time
	Provisioner         string // its name; empty for the CA's own
	Way                 Way
	Holder, Request     string // as [CA.Sign] was told
	Chain               string // PEM, leaf first
}

// describe puts together what is known of a certificate.
func (d *database) describe(leaf *x509.Certificate, n note) Certificate {
	c := Certificate{
		Serial: Serial(leaf.SerialNumber), Names: namesOf(leaf), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		Way: n.Way, Holder: n.Holder, Request: n.Request, Chain: d.chain.pem(leaf),
	}
	if ext, ok := provisioner.GetProvisionerExtension(leaf); ok {
		c.Provisioner = ext.Name
	} else if data, err := d.GetCertificateData(leaf.SerialNumber.String()); err == nil && data.Provisioner != nil {
		c.Provisioner = data.Provisioner.Name
	}
	return c
}

func namesOf(leaf *x509.Certificate) []string {
	out := append(make([]string, 0, len(leaf.DNSNames)+len(leaf.IPAddresses)), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

// Signed returns every certificate that was ever signed, except those that skip
// knows by their serial.
func (c *CA) Signed(skip func(serial string) bool) ([]Certificate, error) {
	entries, err := c.db.List([]byte(tableCertificates))
	if err != nil {
		return nil, fmt.Errorf("list the signed certificates: %w", err)
	}
	var out []Certificate
	var errs []error
	for _, e := range entries {
		n, ok := new(big.Int).SetString(string(e.Key), 10)
		if !ok || skip(Serial(n)) {
			continue
		}
		leaf, err := x509.ParseCertificate(e.Value)
		if err != nil {
			errs = append(errs, fmt.Errorf("read certificate %s: %w", Serial(n), err))
			continue
		}
		out = append(out, c.db.describe(leaf, c.db.note(string(e.Key))))
	}
	return out, errors.Join(errs...)
}

// wayOf tells the way from the provisioner's type and name.
func wayOf(t provisioner.Type, name string) Way {
	switch {
	case name == provisionerBus:
		return WayBus
	case t == provisioner.TypeACME:
		return WayACME
	case t == provisioner.TypeJWK:
		return WayJWK
	case t.String() == "":
		return wayOther
	default:
		return Way(strings.ToLower(t.String()))
	}
}
