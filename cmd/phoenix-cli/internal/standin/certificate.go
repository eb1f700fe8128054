package standin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/google/renameio/v2"
)

const (
	// certificateLife is how long a stand-in's certificate is valid.
	certificateLife = 365 * 24 * time.Hour
	// certificateSpare is what must be left of it when stand-ins are prepared.
	certificateSpare = 30 * 24 * time.Hour
)

// ensureCertificate returns the fingerprint of the certificate in file, which is
// made unless it is there, names the service and its address, and lasts.
func ensureCertificate(file, service, address string, now time.Time) (fingerprint string, err error) {
	pair, err := tls.LoadX509KeyPair(file, file)
	if err == nil && suits(pair.Leaf, service, address, now) {
		return fingerprintOf(pair.Leaf.Raw), nil
	}
	der, key, err := selfSign(service, address, now)
	if err != nil {
		return "", fmt.Errorf("make certificate of stand-in %s: %w", service, err)
	}
	bundle := append(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := renameio.WriteFile(file, bundle, fileMode); err != nil {
		return "", fmt.Errorf("save certificate of stand-in %s: %w", service, err)
	}
	return fingerprintOf(der), nil
}

// suits reports whether the certificate still does.
func suits(leaf *x509.Certificate, service, address string, now time.Time) bool {
	return leaf.VerifyHostname(service) == nil && leaf.VerifyHostname(address) == nil &&
		now.After(leaf.NotBefore) && now.Add(certificateSpare).Before(leaf.NotAfter)
}

// selfSign makes a key and a certificate that is signed by it.
func selfSign(service, address string, now time.Time) (der, pkcs8 []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, fmt.Errorf("make serial: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: service, Organization: []string{"Phoenix stand-in"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{service},
		IPAddresses:  []net.IP{net.ParseIP(address)},
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	if pkcs8, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, nil, fmt.Errorf("encode key: %w", err)
	}
	return der, pkcs8, nil
}

// fingerprintOf returns the SHA-256 of a certificate in lower-case hexadecimal.
func fingerprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
