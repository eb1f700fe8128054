package stepca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"time"

	"go.step.sm/crypto/x509util"
)

// backdate is how far in the past the CA certificates begin, so that a clock
// that is a little late still finds them valid.
const backdate = time.Minute

// pair is a CA certificate with its key.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newRoot(o Options) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make the root's key: %w", err)
	}
	template := authorityTemplate(o.Name, "Root CA", o.RootLife)
	template.MaxPathLen = 1
	root, err := x509util.CreateCertificate(template, template, key.Public(), key)
	if err != nil {
		return pair{}, fmt.Errorf("sign the root: %w", err)
	}
	return pair{certificate: root, key: key}, nil
}

// newIntermediate returns the CA certificate that signs leaves. It is worthless
// outside the permitted domains and address ranges: whoever verifies a chain
// checks that.
func newIntermediate(o Options, root pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make the intermediate's key: %w", err)
	}
	template := authorityTemplate(o.Name, "Intermediate CA", o.IntermediateLife)
	template.MaxPathLenZero = true
	template.PermittedDNSDomainsCritical = true // the whole extension, addresses included
	template.PermittedDNSDomains = o.Domains
	template.PermittedIPRanges = ipNets(o.Ranges)
	intermediate, err := x509util.CreateCertificate(template, root.certificate, key.Public(), root.key)
	if err != nil {
		return pair{}, fmt.Errorf("sign the intermediate: %w", err)
	}
	return pair{certificate: intermediate, key: key}, nil
}

func authorityTemplate(name, kind string, life time.Duration) *x509.Certificate {
	begin := time.Now().Add(-backdate).Truncate(time.Second)
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name + " " + kind, Organization: []string{name}},
		NotBefore: begin, NotAfter: begin.Add(backdate + life),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true,
	}
}

func ipNets(prefixes []netip.Prefix) []*net.IPNet {
	out := make([]*net.IPNet, 0, len(prefixes))
	for _, p := range prefixes {
		p = p.Masked()
		out = append(out, &net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		})
	}
	return out
}
