package bus

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"
)

// bootstrapLife is the life of the bus's own certificate. It is pinned: clients
// trust this very certificate and nothing else.
const bootstrapLife = 10 * 365 * 24 * time.Hour

// certificate loads the bootstrap certificate, or makes one for the names and
// address when there is none or it does not cover them.
func (f Folder) certificate(names []string, address net.IP) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.CA(), f.key())
	if err == nil && covers(pair.Leaf, names, address) {
		return pair, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, fmt.Errorf("load the bus's certificate: %w", err)
	}
	if err := f.makeCertificate(names, address); err != nil {
		return tls.Certificate{}, fmt.Errorf("make the bus's certificate: %w", err)
	}
	return tls.LoadX509KeyPair(f.CA(), f.key())
}

func covers(leaf *x509.Certificate, names []string, address net.IP) bool {
	if leaf == nil || time.Now().After(leaf.NotAfter) {
		return false
	}
	for _, n := range names {
		if !slices.Contains(leaf.DNSNames, n) {
			return false
		}
	}
	return slices.ContainsFunc(leaf.IPAddresses, address.Equal)
}

// makeCertificate writes the key first: a certificate without its key would
// look complete.
func (f Folder) makeCertificate(names []string, address net.IP) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Phoenix bus"},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(bootstrapLife),
		DNSNames: names, IPAddresses: []net.IP{address},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.key()), 0o700); err != nil {
		return err
	}
	if err := writePEM(f.key(), "PRIVATE KEY", pkcs8, 0o600); err != nil {
		return err
	}
	return writePEM(f.CA(), "CERTIFICATE", der, 0o644)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	return renameio.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
