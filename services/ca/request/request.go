// Package request judges what a cert.requested asks for by itself. It knows
// nothing of who may have it.
package request

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

// The bounds of a request. With them the answer fits into one message.
const (
	maxCSR   = 32 << 10 // bytes of PEM
	maxNames = 64
	minRSA   = 2048
	maxRSA   = 4096
)

// Parse reads a certificate request in PEM that is for these names and nothing
// else. It returns the names in a fixed order, each once and in its one form.
// What is wrong no retry can mend.
func Parse(text string, wanted []string) (csr *x509.CertificateRequest, names []string, err error) {
	if csr, err = parseCSR(text); err != nil {
		return nil, nil, fmt.Errorf("csr: %w", err)
	}
	if names, err = checkNames(wanted); err != nil {
		return nil, nil, fmt.Errorf("names: %w", err)
	}
	return csr, names, checkSame(csr, names)
}

// parseCSR reads a PEM text of one request, signed with a key that is worth a
// certificate.
func parseCSR(text string) (*x509.CertificateRequest, error) {
	if len(text) > maxCSR {
		return nil, fmt.Errorf("%d bytes are more than %d", len(text), maxCSR)
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || !strings.HasSuffix(block.Type, "CERTIFICATE REQUEST") || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("not one certificate request in PEM")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("can't be read: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("not signed with its own key: %w", err)
	}
	return csr, checkKey(csr.PublicKey)
}

func checkKey(key any) error {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return fmt.Errorf("key on curve %s is too weak: use P-256", key.Curve.Params().Name)
		}
		return nil
	case ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return fmt.Errorf("RSA key of %d bits: use %d to %d, or EC P-256", bits, minRSA, maxRSA)
		}
		return nil
	}
	return fmt.Errorf("key of type %T: use EC P-256", key)
}

// checkNames returns the names in a fixed order, each once and in its one form.
func checkNames(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("there is none")
	}
	if len(names) > maxNames {
		return nil, fmt.Errorf("%d are more than %d", len(names), maxNames)
	}
	out := make([]string, 0, len(names))
	for _, n := range names {
		if ip, err := netip.ParseAddr(n); err == nil && ip.Zone() == "" {
			out = append(out, ip.Unmap().String())
		} else if err := name.Domain(n); err != nil {
			return nil, err
		} else {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// checkSame makes sure that the request is for these names and nothing else.
func checkSame(csr *x509.CertificateRequest, names []string) error {
	if len(csr.EmailAddresses) > 0 || len(csr.URIs) > 0 {
		return errors.New("csr: only DNS names and IP addresses are signed")
	}
	asked := slices.Clone(csr.DNSNames)
	for _, ip := range csr.IPAddresses {
		asked = append(asked, ip.String())
	}
	if cn := csr.Subject.CommonName; cn != "" && !slices.Contains(asked, cn) {
		asked = append(asked, cn)
	}
	slices.Sort(asked)
	if asked = slices.Compact(asked); !slices.Equal(asked, names) {
		return fmt.Errorf("csr is for %.200q, names are %.200q: they must be the same", strings.Join(asked, " "), strings.Join(names, " "))
	}
	return nil
}
