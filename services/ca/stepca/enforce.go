package stepca

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/smallstep/certificates/acme"
	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/errs"
)

// enforcer is asked by step-ca before each signature, whichever way it was
// asked for. It implements provisioner.CertificateEnforcer.
type enforcer struct {
	ctx    context.Context //nolint:containedctx // step-ca's interface has none; this one ends with the CA
	claims Claims
}

// Enforce refuses a certificate that is not claimed.
func (e enforcer) Enforce(leaf *x509.Certificate) error {
	r, err := requestOf(leaf)
	if err == nil {
		err = e.claims.Check(e.ctx, r)
	}
	return refusal(r.Way, err)
}

// authorizeRenew is asked by step-ca before each renewal and each change of
// key: those do not pass the enforcers.
func authorizeRenew(claims Claims) provisioner.AuthorizeRenewFunc {
	return func(ctx context.Context, p *provisioner.Controller, old *x509.Certificate) error {
		if err := provisioner.DefaultAuthorizeRenew(ctx, p, old); err != nil {
			return err
		}
		r, err := requestOf(old)
		r.Way = WayRenew
		if err == nil {
			err = claims.Check(ctx, r)
		}
		return refusal(r.Way, err)
	}
}

// requestOf tells what is asked for from a certificate that is signed or to be
// signed. It refuses what a claim can't cover: anything but DNS names and
// addresses of a leaf.
func requestOf(leaf *x509.Certificate) (Request, error) {
	r := Request{Way: wayOther, DNS: leaf.DNSNames}
	extensions := slices.Concat(leaf.Extensions, leaf.ExtraExtensions)
	if ext, ok := provisioner.GetProvisionerExtension(&x509.Certificate{Extensions: extensions}); ok {
		r.Way = wayOf(ext.Type, ext.Name)
		if r.Way == WayBus {
			r.Speaker = ext.CredentialID
		}
	}
	for _, ip := range leaf.IPAddresses {
		addr, ok := netip.AddrFromSlice(ip)
		if !ok {
			return r, errors.New("an address can't be read")
		}
		r.IPs = append(r.IPs, addr.Unmap())
	}
	return r, checkLeaf(leaf, r)
}

func checkLeaf(leaf *x509.Certificate, r Request) error {
	names := r.Names()
	switch {
	case leaf.IsCA:
		return errors.New("CA certificates are not signed")
	case len(leaf.EmailAddresses) > 0 || len(leaf.URIs) > 0:
		return errors.New("only DNS names and IP addresses are signed")
	case len(names) == 0:
		return errors.New("there is no name in it")
	case leaf.Subject.CommonName != "" && !slices.Contains(names, leaf.Subject.CommonName):
		return fmt.Errorf("the common name %q is not among its names", leaf.Subject.CommonName)
	}
	san := asn1.ObjectIdentifier{2, 5, 29, 17}
	for _, ext := range leaf.ExtraExtensions {
		if ext.Id.Equal(san) {
			return errors.New("names of other kinds are not signed")
		}
	}
	return nil
}

// refusal turns a reason into what the asker is shown: by ACME a problem
// document, else step-ca's own error.
func refusal(way Way, reason error) error {
	if reason == nil {
		return nil
	}
	shown := reason
	if way == WayACME {
		shown = rejected(reason)
	}
	return &errs.Error{Status: http.StatusForbidden, Msg: errs.ForbiddenPrefix + reason.Error() + ".", Err: shown}
}

func rejected(reason error) *acme.Error {
	return acme.NewDetailedError(acme.ErrorRejectedIdentifierType, "%s", reason.Error())
}
