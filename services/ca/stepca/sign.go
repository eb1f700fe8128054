package stepca

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/errs"
	"go.step.sm/crypto/x509util"
)

// ErrRefused says that a request is well-formed but what it asks for is not
// claimed by whoever asks, or not permitted.
var ErrRefused = errors.New("refused")

// Ask is a request that does not come through step-ca's own server.
type Ask struct {
	CSR     *x509.CertificateRequest
	Names   []string // DNS names and addresses, the CSR's own
	Speaker string   // who asks, attested
	Holder  string   // who will have the key
	Request string   // id of the request; with the same one comes the same certificate
}

// key identifies the request for ever. An id alone would not do: whoever asks
// chooses it.
func (a Ask) key() string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(a.Speaker), []byte(a.Request), a.CSR.Raw} {
		_, _ = fmt.Fprintf(h, "%d ", len(part)) // a hash takes everything
		_, _ = h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Sign signs through the same authority as the server, so claims, name
// constraints and database hold for it as well. The same request gets the same
// certificate again, which is told of again. The error is ErrRefused when no
// retry can help while the claims stay as they are.
func (c *CA) Sign(ctx context.Context, ask Ask) (Certificate, error) {
	key := ask.key()
	n := note{Way: WayBus, Holder: ask.Holder, Request: ask.Request, key: key}
	switch leaf, ok, err := c.db.answered(key); {
	case err != nil:
		return Certificate{}, err
	case ok:
		out := c.db.describe(leaf, n)
		c.db.signed(out)
		return out, nil
	}
	p := busProvisioner{id: provisionerBus + "/" + key}
	c.db.asked.begin(p.id, n)
	defer c.db.asked.end(p.id)
	options, err := c.signOptions(p, ask)
	if err != nil {
		return Certificate{}, err
	}
	chain, err := c.authority.SignWithContext(ctx, ask.CSR, provisioner.SignOptions{}, options...)
	if err != nil {
		return Certificate{}, signError(err)
	}
	return c.db.describe(chain[0], n), nil
}

// signOptions are to step-ca what a provisioner's authorization is.
func (c *CA) signOptions(p busProvisioner, ask Ask) ([]provisioner.SignOption, error) {
	commonName := cmp.Or(ask.CSR.Subject.CommonName, ask.Names[0])
	template, err := provisioner.TemplateOptions(nil, x509util.CreateTemplateData(commonName, ask.Names))
	if err != nil {
		return nil, fmt.Errorf("template of the certificate: %w", err)
	}
	ext, err := (&provisioner.Extension{Type: p.GetType(), Name: p.GetName(), CredentialID: ask.Speaker}).ToExtension()
	if err != nil {
		return nil, fmt.Errorf("provisioner extension: %w", err)
	}
	modify := provisioner.CertificateModifierFunc(func(leaf *x509.Certificate, o provisioner.SignOptions) error {
		now := time.Now().Truncate(time.Second)
		leaf.NotBefore, leaf.NotAfter = now.Add(-o.Backdate), now.Add(c.duration)
		leaf.ExtraExtensions = append(leaf.ExtraExtensions, ext)
		return nil
	})
	return []provisioner.SignOption{p, template, modify}, nil
}

// signError tells a refusal from a failure.
func signError(err error) error {
	var e *errs.Error
	if errors.As(err, &e) && e.StatusCode() < 500 {
		return fmt.Errorf("%w: %w", ErrRefused, e.Err)
	}
	return fmt.Errorf("sign: %w", err)
}

// busProvisioner stands for the way [CA.Sign] in step-ca's records. step-ca's
// server does not know it: nobody can ask in its name, and what it signed is
// renewed by asking again.
type busProvisioner struct {
	provisioner.Interface
	id string
}

// GetID implements provisioner.Interface.
func (p busProvisioner) GetID() string { return p.id }

// GetName implements provisioner.Interface.
func (busProvisioner) GetName() string { return provisionerBus }

// GetType implements provisioner.Interface.
func (busProvisioner) GetType() provisioner.Type { return provisioner.TypeJWK }
