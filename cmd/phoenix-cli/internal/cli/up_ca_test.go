package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// formerCA leaves the certificates of a CA in the home.
func (s *stage) formerCA(born time.Time, domains ...string) {
	s.t.Helper()
	folder := filepath.Join(s.home.Container("103"), "var", "lib", "phoenix", "step", "certs")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		s.t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, permitted := range map[string][]string{"root_ca.crt": nil, "intermediate_ca.crt": domains} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: born, NotAfter: born.Add(time.Hour),
			PermittedDNSDomainsCritical: true, PermittedDNSDomains: permitted, IsCA: true, BasicConstraintsValid: true,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			s.t.Fatal(err)
		}
		raw := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(filepath.Join(folder, name), raw, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestUpComparesWithTheFormerCA(t *testing.T) {
	s := emptyStage(t)
	s.formerCA(time.Now().Add(48*time.Hour), "phoenix.localhost")
	s.run("up").want(t, 1, "this machine's clock shows", "before the CA of this home was made", "timedatectl")

	s.formerCA(time.Now().Add(-time.Hour), "lab.test")
	s.run("up").want(t, 2, "the CA of this home signs for lab.test only, not for phoenix.localhost", "down --purge")
}

// A CA that signs for the domain above, or for all, is right; so is one that
// can't be read, which is the CA's own matter.
func TestUpAcceptsTheFormerCA(t *testing.T) {
	for _, domains := range [][]string{{"localhost"}, {"phoenix.localhost"}, nil} {
		s := emptyStage(t)
		s.formerCA(time.Now().Add(-time.Hour), domains...)
		s.env["PHOENIX_NGINX"] = "/no/such/nginx" // ends it before anything is started
		s.run("up").want(t, 1, "phoenix-cli: configured nginx not found")
	}
	s := emptyStage(t)
	s.formerCA(time.Now(), "x")
	for _, name := range []string{"root_ca.crt", "intermediate_ca.crt"} {
		path := filepath.Join(s.home.Container("103"), "var", "lib", "phoenix", "step", "certs", name)
		if err := os.WriteFile(path, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.env["PHOENIX_NGINX"] = "/no/such/nginx"
	s.run("up").want(t, 1, "phoenix-cli: configured nginx not found")
}
