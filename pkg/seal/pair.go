package seal

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"time"
)

// Pair is a certificate chain with the private key of its leaf, for one host.
type Pair struct {
	Host     string
	Serial   string // of the leaf, as [Serial] writes it
	NotAfter time.Time
	Chain    []byte // PEM, leaf first
	Key      Key    // PEM
}

// Key is a private key in PEM. It prints as "[redacted]", whatever the verb;
// only a conversion to []byte shows it.
type Key []byte

const redacted = "[redacted]"

// String implements fmt.Stringer.
func (Key) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Key) GoString() string { return redacted }

// Format implements fmt.Formatter: verbs that would print the bytes print
// nothing else than the others.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue implements slog.LogValuer.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, so that JSON and YAML don't
// show the key either.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// NewPair makes the pair of a chain and a key. Serial and end of validity are
// the leaf's. It refuses what [Open] would refuse, but for the time.
func NewPair(host string, chain, key []byte) (Pair, error) {
	certs, err := parse(chain)
	if err != nil {
		return Pair{}, err
	}
	leaf := certs[0]
	p := Pair{Host: host, Serial: Serial(leaf.SerialNumber), NotAfter: leaf.NotAfter.UTC(), Chain: chain, Key: key}
	return p, p.Check()
}

// Verify says whether the chain leads to one of the roots, and the leaf may
// serve the host now.
func (p Pair) Verify(roots *x509.CertPool) error {
	certs, err := parse(p.Chain)
	if err != nil {
		return err
	}
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	if _, err := certs[0].Verify(x509.VerifyOptions{DNSName: p.Host, Roots: roots, Intermediates: between}); err != nil {
		return fmt.Errorf("verify the chain of %s: %w", p.Host, err)
	}
	return nil
}

// Serial writes a certificate's serial number the way the whole platform does:
// whole bytes in lower-case hexadecimal.
func Serial(n *big.Int) string {
	if n.Sign() == 0 {
		return "00"
	}
	return hex.EncodeToString(n.Bytes())
}

// Check says whether the pair is one: the chain and the key are PEM and nothing
// else, the key is the leaf's, the leaf is valid for the host, and serial and
// end of validity are the leaf's. Who signed the chain is not looked at.
func (p Pair) Check() error {
	certs, err := parse(p.Chain)
	if err != nil {
		return err
	}
	leaf := certs[0]
	if err := onlyKey(p.Key); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair(p.Chain, p.Key); err != nil {
		return fmt.Errorf("certificate and key: %w", err)
	}
	if err := leaf.VerifyHostname(p.Host); err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if serial := Serial(leaf.SerialNumber); p.Serial != serial {
		return fmt.Errorf("certificate has the serial %s, want %q", serial, p.Serial)
	}
	if !p.NotAfter.Equal(leaf.NotAfter) {
		return fmt.Errorf("certificate ends at %s, want %s", leaf.NotAfter.UTC(), p.NotAfter.UTC())
	}
	return nil
}

// parse reads a chain, which must hold one certificate at least, and nothing
// else.
func parse(chain []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := chain; len(bytes.TrimSpace(rest)) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("chain holds something else than certificates")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("chain: %w", err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("chain is empty")
	}
	return certs, nil
}

// onlyKey says whether key holds one private key and nothing else. Its errors
// quote nothing.
func onlyKey(key []byte) error {
	block, rest := pem.Decode(key)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("key is not one PEM block")
	}
	switch block.Type {
	case "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY":
		return nil
	}
	return errors.New("key is not a private key")
}
