package nginxtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// CA is a root with one intermediate.
type CA struct {
	// Root is the root's certificate in PEM.
	Root []byte

	root, intermediate authority
	serial             atomic.Int64
}

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// NewCA makes a CA.
func NewCA(tb testing.TB) *CA {
	tb.Helper()
	ca := &CA{}
	ca.serial.Store(time.Now().UnixNano())
	ca.root = ca.authority(tb, "root", authority{})
	ca.intermediate = ca.authority(tb, "intermediate", ca.root)
	ca.Root = encode(ca.root.cert.Raw)
	return ca
}

// authority makes a CA certificate, signed by parent or, without one, by
// itself.
func (ca *CA) authority(tb testing.TB, name string, parent authority) authority {
	tb.Helper()
	own := authority{key: NewKey(tb)}
	template := ca.template(name, time.Now().Add(24*time.Hour))
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	if parent.cert == nil {
		parent = authority{cert: template, key: own.key}
	}
	own.cert = sign(tb, template, own.key, parent)
	return own
}

func (ca *CA) template(name string, notAfter time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(ca.serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: notAfter.Add(-48 * time.Hour), NotAfter: notAfter,
	}
}

// Roots trusts this CA alone.
func (ca *CA) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.root.cert)
	return pool
}

// Fingerprint is that of the root: SHA-256 in lower-case hexadecimal.
func (ca *CA) Fingerprint() string {
	sum := sha256.Sum256(ca.root.cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Pair issues a certificate for host with a key of its own.
func (ca *CA) Pair(tb testing.TB, host string) seal.Pair {
	tb.Helper()
	return ca.Renew(tb, host, NewKey(tb))
}

// Renew issues a certificate for host and key.
func (ca *CA) Renew(tb testing.TB, host string, key crypto.Signer) seal.Pair {
	tb.Helper()
	return ca.Until(tb, host, key, time.Now().Add(time.Hour))
}

// Until issues a certificate for host and key that ends at notAfter.
func (ca *CA) Until(tb testing.TB, host string, key crypto.Signer, notAfter time.Time) seal.Pair {
	tb.Helper()
	template := ca.template(host, notAfter)
	template.DNSNames = []string{host}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf := sign(tb, template, key, ca.intermediate)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := seal.NewPair(host, slices.Concat(encode(leaf.Raw), encode(ca.intermediate.cert.Raw)),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// TLS returns the pair as Go's TLS wants it.
func TLS(tb testing.TB, p seal.Pair) tls.Certificate {
	tb.Helper()
	cert, err := tls.X509KeyPair(p.Chain, p.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

// NewKey makes a private key.
func NewKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func sign(tb testing.TB, template *x509.Certificate, key crypto.Signer, by authority) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func encode(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
