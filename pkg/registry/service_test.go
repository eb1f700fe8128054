package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

const domain = "phoenix.localhost"

func rules(t testing.TB) registry.Rules {
	t.Helper()
	policy, err := name.ParsePolicy(true, []string{"127.16.0.102"})
	if err != nil {
		t.Fatal(err)
	}
	return registry.Rules{Domain: domain, Backends: policy}
}

func certificate(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestParseFillsIn(t *testing.T) {
	cert := certificate(t)
	meta := events.Meta{Speaker: events.Ops, Sequence: 7}
	tests := map[string]struct {
		in   events.ServiceRegistered
		want registry.Service
	}{
		"url alone": {
			in: events.ServiceRegistered{Name: "grafana", URL: "http://127.0.0.1:3000"},
			want: registry.Service{
				Name: "grafana", Hosts: []string{"grafana." + domain}, Issuer: events.IssuerACME,
				Backend: events.Backend{Scheme: "http", Address: "127.0.0.1", Port: 3000},
			},
		},
		"hosts are sorted, each once": {
			in: events.ServiceRegistered{Name: "g", URL: "http://nas", Hosts: []string{"b." + domain, "a." + domain, "b." + domain}},
			want: registry.Service{
				Name: "g", Hosts: []string{"a." + domain, "b." + domain}, Issuer: events.IssuerACME,
				Backend: events.Backend{Scheme: "http", Address: "nas", Port: 80},
			},
		},
		"given ca": {
			in: events.ServiceRegistered{Name: "g", URL: "https://nas", CA: "\n" + cert + cert + "\n", ServerName: "NAS.lan", Issuer: events.IssuerACME},
			want: registry.Service{
				Name: "g", Hosts: []string{"g." + domain}, Issuer: events.IssuerACME, CA: cert + cert, ServerName: "nas.lan",
				Backend: events.Backend{Scheme: "https", Address: "nas", Port: 443},
			},
		},
		"fingerprint": {
			in: events.ServiceRegistered{Name: "g", URL: "https://nas", Fingerprint: strings.TrimSuffix(strings.Repeat("AB:", 32), ":")},
			want: registry.Service{
				Name: "g", Hosts: []string{"g." + domain}, Issuer: events.IssuerACME, Fingerprint: strings.Repeat("ab", 32),
				Backend: events.Backend{Scheme: "https", Address: "nas", Port: 443},
			},
		},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			tt.want.Owner, tt.want.Sequence = meta.Speaker, meta.Sequence
			got, err := rules(t).Parse(meta, tt.in)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, error %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	cert := certificate(t)
	good := func(change func(*events.ServiceRegistered)) events.ServiceRegistered {
		m := events.ServiceRegistered{Name: "g", URL: "https://10.0.0.5"}
		change(&m)
		return m
	}
	type msg = events.ServiceRegistered
	tests := map[string]struct {
		in  events.ServiceRegistered
		err string
	}{
		"no name":            {good(func(m *msg) { m.Name = "" }), "name is empty"},
		"path in name":       {good(func(m *msg) { m.Name = "../../etc/x" }), "only a-z"},
		"template in name":   {good(func(m *msg) { m.Name = "{{.}}" }), "only a-z"},
		"newline in name":    {good(func(m *msg) { m.Name = "a\nb" }), "only a-z"},
		"name of own host":   {good(func(m *msg) { m.Name = "gateway" }), "stack's own"},
		"wildcard":           {good(func(m *msg) { m.Hosts = []string{"*." + domain} }), "wildcard"},
		"outside the domain": {good(func(m *msg) { m.Hosts = []string{"example.com"} }), "not below"},
		"own host":           {good(func(m *msg) { m.Hosts = []string{"ca." + domain} }), "stack's own"},
		"below an own host":  {good(func(m *msg) { m.Hosts = []string{"x.bus." + domain} }), "stack's own"},
		"bare domain":        {good(func(m *msg) { m.Hosts = []string{domain} }), "not below"},
		"one bad host":       {good(func(m *msg) { m.Hosts = []string{"a." + domain, "b;." + domain} }), "only a-z"},
		"too many hosts":     {good(func(m *msg) { m.Hosts = make([]string, 33) }), "more than 32"},
		"no backend":         {good(func(m *msg) { m.URL = "" }), "neither"},
		"file":               {good(func(m *msg) { m.URL = "file:///etc/passwd" }), "neither http"},
		"metadata":           {good(func(m *msg) { m.URL = "http://169.254.169.254/" }), "link-local"},
		"own address":        {good(func(m *msg) { m.URL = "http://127.16.0.102:9091" }), "stack's own"},
		"unknown issuer":     {good(func(m *msg) { m.Issuer = "mine" }), "not supported"},
		"ca of nonsense":     {good(func(m *msg) { m.CA = "nonsense" }), "besides PEM"},
		"key in the ca":      {good(func(m *msg) { m.CA = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }), "besides PEM"},
		"broken certificate": {good(func(m *msg) { m.CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }), "can't be read"},
		"large ca":           {good(func(m *msg) { m.CA = strings.Repeat("x", 20_000) }), "larger"},
		"short fingerprint":  {good(func(m *msg) { m.Fingerprint = "abcd" }), "SHA-256"},
		"fingerprint of z":   {good(func(m *msg) { m.Fingerprint = strings.Repeat("zz", 32) }), "SHA-256"},
		"ca and fingerprint": {good(func(m *msg) { m.CA, m.Fingerprint = cert, strings.Repeat("ab", 32) }), "both given"},
		"ca for http":        {good(func(m *msg) { m.URL, m.CA = "http://10.0.0.5", cert }), "https backends alone"},
		"bad server name":    {good(func(m *msg) { m.ServerName = "a b" }), "server_name"},
		"two faults at once": {good(func(m *msg) { m.URL, m.Hosts = "ftp://x", []string{"*"} }), "; "},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			_, err := rules(t).Parse(events.Meta{Speaker: events.Ops}, tt.in)
			if !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("error %v, want ErrInvalid with %q", err, tt.err)
			}
			if strings.ContainsAny(err.Error(), "\n") || len(err.Error()) > 500 {
				t.Errorf("error is long or has several lines: %q", err)
			}
		})
	}
}
