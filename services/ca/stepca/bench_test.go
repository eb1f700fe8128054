package stepca_test

import (
	"crypto/x509"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/authority/provisioner"
	"go.step.sm/crypto/x509util"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// BenchmarkSign signs as [stepca.CA.Sign] does: claims asked, certificate, note
// and request stored.
func BenchmarkSign(b *testing.B) {
	o := options(b, anything{})
	o.Log = slog.New(slog.DiscardHandler)
	ca, err := stepca.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = ca.Close() }()
	csr := acmetest.CSR(b, acmetest.Key(b), "grafana."+domain)
	var n atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ask := stepca.Ask{CSR: csr, Names: csr.DNSNames, Speaker: "ops", Request: strconv.FormatInt(n.Add(1), 10)}
			if _, err := ca.Sign(b.Context(), ask); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkStock signs the same with an authority as step-ca makes it, for
// comparison.
func BenchmarkStock(b *testing.B) {
	o := options(b, anything{})
	ca, err := stepca.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	if err := ca.Close(); err != nil {
		b.Fatal(err)
	}
	cfg, err := config.LoadConfiguration(filepath.Join(o.Folder, "config", "ca.json"))
	if err != nil {
		b.Fatal(err)
	}
	stock, err := authority.New(cfg, authority.WithPassword(password(b, o, "password")), authority.WithQuietInit())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = stock.Shutdown() }()
	admin, err := stock.LoadProvisionerByName("admin")
	if err != nil {
		b.Fatal(err)
	}
	csr := acmetest.CSR(b, acmetest.Key(b), "grafana."+domain)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			template, err := provisioner.TemplateOptions(nil, x509util.CreateTemplateData(csr.DNSNames[0], csr.DNSNames))
			if err != nil {
				b.Error(err)
			}
			modify := provisioner.CertificateModifierFunc(func(leaf *x509.Certificate, _ provisioner.SignOptions) error {
				leaf.NotBefore, leaf.NotAfter = time.Now(), time.Now().Add(24*time.Hour)
				return nil
			})
			if _, err := stock.SignWithContext(b.Context(), csr, provisioner.SignOptions{}, admin, template, modify); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkOpen makes a CA in an empty folder until it answers.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		o := options(b, anything{})
		o.Log = slog.New(slog.DiscardHandler)
		ca, stop := serve(b, o)
		if err := ca.Probe(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}
