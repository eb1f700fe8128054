package stepca

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.step.sm/crypto/pemutil"
)

// chain is the CA's own certificates.
type chain struct {
	root, intermediate *x509.Certificate
}

// loadChain reads both and makes sure that they can serve now, for these
// options.
func loadChain(l layout, o Options, now time.Time) (chain, error) {
	root, err := pemutil.ReadCertificate(l.root())
	if err != nil {
		return chain{}, fmt.Errorf("read the root certificate: %w", err)
	}
	intermediate, err := pemutil.ReadCertificate(l.intermediate())
	if err != nil {
		return chain{}, fmt.Errorf("read the intermediate certificate: %w", err)
	}
	c := chain{root: root, intermediate: intermediate}
	if err := intermediate.CheckSignatureFrom(root); err != nil {
		return chain{}, fmt.Errorf("%s was not signed by %s: %w", l.intermediate(), l.root(), err)
	}
	if err := c.checkTime(now); err != nil {
		return chain{}, err
	}
	return c, c.checkConstraints(o)
}

// checkTime refuses to start outside the CA's own life.
func (c chain) checkTime(now time.Time) error {
	for _, crt := range []*x509.Certificate{c.root, c.intermediate} {
		name := crt.Subject.CommonName
		if now.Before(crt.NotBefore) {
			return fmt.Errorf("the clock shows %s, but %q begins only at %s: set the clock right and start again",
				stamp(now), name, stamp(crt.NotBefore))
		}
		if now.After(crt.NotAfter) {
			return fmt.Errorf("%q ended at %s (the clock shows %s): a new one has to be signed, or the clock set right",
				name, stamp(crt.NotAfter), stamp(now))
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkConstraints makes sure that the intermediate permits what the options
// permit. Else every certificate for the rest would be refused, one by one.
func (c chain) checkConstraints(o Options) error {
	var missing []string
	for _, d := range o.Domains {
		if !slices.ContainsFunc(c.intermediate.PermittedDNSDomains, func(p string) bool { return within(d, p) }) {
			missing = append(missing, d)
		}
	}
	for _, r := range o.Ranges {
		if !slices.ContainsFunc(c.intermediate.PermittedIPRanges, func(p *net.IPNet) bool { return covers(p, r) }) {
			missing = append(missing, r.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%q signs for %s only, not for %s: "+
		"give back the former domains and ranges, or sign a new intermediate certificate with the root's key",
		c.intermediate.Subject.CommonName, strings.Join(c.permitted(), ", "), strings.Join(missing, ", "))
}

func (c chain) permitted() []string {
	out := slices.Clone(c.intermediate.PermittedDNSDomains)
	for _, n := range c.intermediate.PermittedIPRanges {
		out = append(out, n.String())
	}
	return out
}

func within(domain, permitted string) bool {
	return domain == permitted || strings.HasSuffix(domain, "."+permitted)
}

func covers(n *net.IPNet, p netip.Prefix) bool {
	ones, bits := n.Mask.Size()
	return bits == p.Addr().BitLen() && ones <= p.Bits() && n.Contains(p.Masked().Addr().AsSlice())
}

// pem returns the leaf and whatever of the CA it needs to be verified.
func (c chain) pem(leaf *x509.Certificate) string {
	out := encodeCertificate(leaf)
	if bytes.Equal(leaf.AuthorityKeyId, c.intermediate.SubjectKeyId) {
		out = append(out, encodeCertificate(c.intermediate)...)
	}
	return string(out)
}

// fingerprint is the SHA-256 of a certificate, as step shows it.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
