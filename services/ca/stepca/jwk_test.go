package stepca_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/certificates/api"
	"github.com/smallstep/certificates/ca"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// admin is somebody who knows the admin provisioner's password.
type admin struct {
	provisioner *ca.Provisioner
	client      *ca.Client
}

func password(t testing.TB, o stepca.Options, file string) []byte {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(o.Folder, "secrets", file))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(password)
}

func newAdmin(t *testing.T, o stepca.Options, c *stepca.CA) admin {
	t.Helper()
	root := ca.WithRootFile(filepath.Join(o.Folder, "certs", "root_ca.crt"))
	p, err := ca.NewProvisioner("admin", "", c.URL(), password(t, o, "admin_password"), root)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ca.NewClient(c.URL(), root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		p.CloseIdleConnections()
	})
	return admin{provisioner: p, client: client}
}

// issue gets a certificate with a token; the CSR has the token's names.
func (a admin) issue(t *testing.T, subject string, names ...string) (*tls.Certificate, error) {
	t.Helper()
	ott, err := a.provisioner.Token(subject, names...)
	if err != nil {
		t.Fatal(err)
	}
	req, key, err := ca.CreateSignRequest(ott)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := a.client.Sign(req)
	if err != nil {
		return nil, err
	}
	return pairOf(resp, key), nil
}

func pairOf(resp *api.SignResponse, key crypto.PrivateKey) *tls.Certificate {
	out := &tls.Certificate{PrivateKey: key, Leaf: resp.ServerPEM.Certificate}
	for _, c := range resp.CertChainPEM {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

func TestTokenCertificate(t *testing.T) {
	name := "grafana." + domain
	var told signed
	o := options(t, claim(name, "127.13.0.7"))
	o.Signed = told.add
	c, _ := serve(t, o)
	got, err := newAdmin(t, o, c).issue(t, name, name, "127.13.0.7")
	if err != nil {
		t.Fatal(err)
	}
	verify(t, c, got.Certificate, name)
	verify(t, c, got.Certificate, "127.13.0.7")
	list := told.of(stepca.WayJWK)
	if len(list) != 1 || list[0].Provisioner != "admin" || strings.Join(list[0].Names, " ") != name+" 127.13.0.7" {
		t.Errorf("told of %+v", list)
	}
}

func TestTokenCertificateRefused(t *testing.T) {
	name := "grafana." + domain
	tests := map[string]struct {
		names []string
		want  string
	}{
		"unclaimed name":       {[]string{"other." + domain}, `nobody claims "other.phoenix.localhost"`},
		"one more name":        {[]string{name, "other." + domain}, "nobody claims"},
		"wildcard":             {[]string{"*." + domain}, "nobody claims"},
		"unclaimed address":    {[]string{name, "127.13.0.8"}, "nobody claims"},
		"mail address":         {[]string{name, "a@" + domain}, "only DNS names"},
		"URI":                  {[]string{name, "spiffe://" + domain}, "only DNS names"},
		"outside the domain":   {[]string{"example.com"}, "not permitted"},
		"outside the range":    {[]string{name, "10.0.0.1"}, "not permitted"},
		"claim in other case":  {[]string{"GRAFANA." + domain}, "nobody claims"},
		"name with a null":     {[]string{name + "\x00.example.com"}, "nobody claims"},
		"name with a space":    {[]string{name + " "}, "nobody claims"},
		"name with a full dot": {[]string{name + "."}, "nobody claims"},
	}
	// Claimed, so that the name constraints decide.
	o := options(t, claim(name, "example.com", "10.0.0.1"))
	var told signed
	o.Signed = told.add
	c, _ := serve(t, o)
	admin := newAdmin(t, o, c)
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			_, err := admin.issue(t, tt.names[0], tt.names...)
			contains(t, err, tt.want)
		})
	}
	_, err := admin.issue(t, "bank.example.com", name)
	contains(t, err, `the common name "bank.example.com" is not among its names`)
	if got := told.of(stepca.WayJWK); len(got) != 0 {
		t.Errorf("told of %+v", got)
	}
}

func TestRenewAndRekey(t *testing.T) {
	name := "grafana." + domain
	claims := claim(name)
	var told signed
	o := options(t, claims)
	o.Signed = told.add
	c, _ := serve(t, o)
	admin := newAdmin(t, o, c)
	pair, err := admin.issue(t, name, name)
	if err != nil {
		t.Fatal(err)
	}
	transport := client(t, c, *pair).Transport
	step := admin.client
	key := acmetest.Key(t)
	rekey := func() (*api.SignResponse, error) {
		return step.Rekey(&api.RekeyRequest{CsrPEM: api.NewCertificateRequest(acmetest.CSR(t, key, name))}, transport)
	}
	for what, renew := range map[string]func() (*api.SignResponse, error){
		"renew": func() (*api.SignResponse, error) { return step.Renew(transport) },
		"rekey": rekey,
	} {
		resp, err := renew()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		leaf := verify(t, c, pairOf(resp, nil).Certificate, name)
		if what == "rekey" && !key.PublicKey.Equal(leaf.PublicKey) {
			t.Error("it has not the new key")
		}
		last := told.all()[len(told.all())-1]
		if last.Way != stepca.WayRenew || last.Serial != stepca.Serial(leaf.SerialNumber) || last.Provisioner != "admin" {
			t.Errorf("%s: told of %+v", what, last)
		}
		if asked := claims.last(); asked.Way != stepca.WayRenew || len(asked.DNS) != 1 || asked.DNS[0] != name {
			t.Errorf("%s: asked about %+v", what, asked)
		}
	}
	claims.withdraw()
	before := len(told.all())
	_, err = step.Renew(transport)
	contains(t, err, "nobody claims")
	_, err = rekey()
	contains(t, err, "nobody claims")
	if len(told.all()) != before {
		t.Error("something was signed all the same")
	}
}

func TestServerIsStrict(t *testing.T) {
	o := options(t, claim())
	c, _ := serve(t, o)
	t.Run("old TLS", func(t *testing.T) {
		_, err := tls.Dial("tcp", o.Listen, &tls.Config{RootCAs: roots(t, c), ServerName: "ca." + domain, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}) //nolint:gosec // the point
		contains(t, err, "protocol version")
	})
	t.Run("large body", func(t *testing.T) {
		resp, err := client(t, c).Post(c.URL()+"/1.0/sign", "application/json", strings.NewReader(`{"ott":"`+strings.Repeat("x", 2<<20)+`"}`))
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d", resp.StatusCode)
			}
		}
	})
	t.Run("no SSH", func(t *testing.T) {
		resp, err := client(t, c).Post(c.URL()+"/ssh/sign", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
	t.Run("own certificate", func(t *testing.T) {
		if err := c.Probe(t.Context()); err != nil {
			t.Error(err)
		}
		conn, err := tls.Dial("tcp", o.Listen, &tls.Config{RootCAs: roots(t, c), ServerName: o.Names[1], MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if leaf := conn.ConnectionState().PeerCertificates[0]; time.Until(leaf.NotAfter) < 23*time.Hour || leaf.PublicKeyAlgorithm != x509.ECDSA {
			t.Errorf("%v until %s", leaf.PublicKeyAlgorithm, leaf.NotAfter)
		}
	})
}
