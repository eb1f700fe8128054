package request_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/services/ca/request"
)

const domain = "phoenix.localhost"

func encode(t testing.TB, key crypto.Signer, template *x509.CertificateRequest) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// asked is what a message asks for.
type asked struct {
	csr   string
	names []string
}

func ask(csr string, names ...string) asked { return asked{csr, names} }

func TestParse(t *testing.T) {
	a, b := "a."+domain, "b."+domain
	key := ecKey(t)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ip := net.ParseIP("10.0.0.5")
	tests := map[string]asked{
		"one name":          ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}}), a),
		"in another order":  ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{b, a}}), a, b),
		"name and address":  ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}, IPAddresses: []net.IP{ip}}), "10.0.0.5", a),
		"common name too":   ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}, Subject: pkix.Name{CommonName: a}}), a),
		"common name alone": ask(encode(t, key, &x509.CertificateRequest{Subject: pkix.Name{CommonName: a}}), a),
		"Ed25519":           ask(encode(t, edKey, &x509.CertificateRequest{DNSNames: []string{a}}), a),
		"RSA":               ask(encode(t, rsaKey(t, 2048), &x509.CertificateRequest{DNSNames: []string{a}}), a),
		"repeated names":    ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}}), a, a),
	}
	for what, e := range tests {
		t.Run(what, func(t *testing.T) {
			csr, names, err := request.Parse(e.csr, e.names)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(e.names)
			slices.Sort(want)
			if !slices.Equal(names, slices.Compact(want)) || csr.CheckSignature() != nil {
				t.Errorf("got %q", names)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	a, b := "a."+domain, "b."+domain
	key := ecKey(t)
	weak, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}})
	block, _ := pem.Decode([]byte(good))
	block.Bytes[len(block.Bytes)-1] ^= 1
	tests := map[string]struct {
		e    asked
		want string
	}{
		"nothing":             {ask(""), "not one certificate request"},
		"no PEM":              {ask("hello", a), "not one certificate request"},
		"a certificate":       {ask("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", a), "not one certificate request"},
		"two requests":        {ask(good+good, a), "not one certificate request"},
		"large":               {ask(strings.Repeat("x", 40_000), a), "more than"},
		"broken":              {ask("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", a), "can't be read"},
		"signed by another":   {ask(string(pem.EncodeToMemory(block)), a), "not signed with its own key"},
		"weak curve":          {ask(encode(t, weak, &x509.CertificateRequest{DNSNames: []string{a}}), a), "too weak"},
		"weak RSA":            {ask(encode(t, rsaKey(t, 1024), &x509.CertificateRequest{DNSNames: []string{a}}), a), "RSA key of 1024 bits"},
		"no names":            {ask(good), "there is none"},
		"many names":          {ask(good, slices.Repeat([]string{a}, 65)...), "more than 64"},
		"other names":         {ask(good, b), "must be the same"},
		"fewer names":         {ask(good, a, b), "must be the same"},
		"more in the csr":     {ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a, b}}), a), "must be the same"},
		"other common name":   {ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}, Subject: pkix.Name{CommonName: b}}), a), "must be the same"},
		"mail address":        {ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}, EmailAddresses: []string{"x@y.z"}}), a), "only DNS names"},
		"URI":                 {ask(encode(t, key, &x509.CertificateRequest{DNSNames: []string{a}, URIs: []*url.URL{{Scheme: "x", Host: "y"}}}), a), "only DNS names"},
		"wildcard":            {ask(good, "*."+domain), "wildcard"},
		"path":                {ask(good, "../../etc"), "empty label"},
		"template":            {ask(good, "{{.}}"), "only a-z"},
		"address with a zone": {ask(good, "fe80::1%eth0"), "only a-z"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			_, _, err := request.Parse(tt.e.csr, tt.e.names)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v; want %q", err, tt.want)
			}
			if len(err.Error()) > 600 || strings.Contains(err.Error(), "\n") {
				t.Errorf("long, or of several lines: %q", err)
			}
		})
	}
}

// FuzzParse makes sure that whatever passes is signed for the names that were
// judged, and nothing else.
func FuzzParse(f *testing.F) {
	key := ecKey(f)
	good := encode(f, key, &x509.CertificateRequest{DNSNames: []string{"a." + domain}, IPAddresses: []net.IP{net.ParseIP("10.0.0.5")}})
	f.Add(good, "a."+domain, "10.0.0.5")
	f.Add(good, "a."+domain, "::ffff:10.0.0.5")
	f.Add("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", "", "*")
	f.Fuzz(func(t *testing.T, csr, first, second string) {
		got, names, err := request.Parse(csr, []string{first, second})
		if err != nil {
			return
		}
		if got.CheckSignature() != nil {
			t.Error("the signature is wrong")
		}
		for _, n := range names {
			if _, err := netip.ParseAddr(n); err != nil && name.Domain(n) != nil {
				t.Errorf("name %q", n)
			}
		}
		for _, n := range got.DNSNames {
			if !slices.Contains(names, n) {
				t.Errorf("%q was not judged", n)
			}
		}
	})
}
