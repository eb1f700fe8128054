package stepca_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

const domain = "phoenix.localhost"

func TestMain(m *testing.M) {
	if os.Getenv("STEPCA_INITIALISE") != "" {
		os.Exit(initialiseForEver())
	}
	if os.Getenv("STEPCA_SIGN") != "" {
		os.Exit(signForEver())
	}
	// A logging library below step-ca flushes for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// claims is who may have what, as a test wants it.
type claims struct {
	mu    sync.Mutex
	names []string
	asked []stepca.Request
}

func claim(names ...string) *claims { return &claims{names: names} }

func (c *claims) Check(_ context.Context, r stepca.Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, r)
	for _, n := range r.Names() {
		if !slices.Contains(c.names, n) {
			return fmt.Errorf("nobody claims %q", n)
		}
	}
	return nil
}

func (c *claims) withdraw() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = nil
}

func (c *claims) last() stepca.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[len(c.asked)-1]
}

// nowhere is a network without any endpoint.
type nowhere struct{}

func (nowhere) Endpoint(context.Context, string) (string, error) {
	return "", errors.New("no endpoint")
}
func (nowhere) TXT(context.Context, string) ([]string, error) { return nil, nil }

// signed collects what the CA tells of.
type signed struct {
	mu   sync.Mutex
	list []stepca.Certificate
}

func (s *signed) add(c stepca.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, c)
}

func (s *signed) all() []stepca.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// of returns what was told of certificates of that way.
func (s *signed) of(way stepca.Way) []stepca.Certificate {
	return slices.DeleteFunc(s.all(), func(c stepca.Certificate) bool { return c.Way != way })
}

func options(t testing.TB, c stepca.Claims) stepca.Options {
	t.Helper()
	listen := acmetest.Free(t)
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		t.Fatal(err)
	}
	return stepca.Options{
		Folder: filepath.Join(t.TempDir(), "step"), Listen: listen,
		Names: []string{"ca." + domain, host}, Domains: []string{domain},
		Ranges: []netip.Prefix{netip.MustParsePrefix("127.13.0.0/16")}, Name: "Test",
		Claims: c, Network: nowhere{}, Signed: func(stepca.Certificate) {},
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
}

// serve opens a CA and serves it until the returned function is called, or the
// test ends.
func serve(t testing.TB, o stepca.Options) (ca *stepca.CA, stop func()) {
	t.Helper()
	ca, err := stepca.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ca.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, ca.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return ca, stop
}

// roots returns a pool of the CA's root alone.
func roots(t testing.TB, ca *stepca.CA) *x509.CertPool {
	t.Helper()
	pem, _ := ca.Root()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		t.Fatal("the root can't be read")
	}
	return pool
}

func client(t testing.TB, ca *stepca.CA, certificates ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: roots(t, ca), ServerName: "ca." + domain, Certificates: certificates,
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func newACME(t testing.TB, ca *stepca.CA, r *acmetest.Responder) acmetest.Client {
	t.Helper()
	return acmetest.NewClient(t, client(t, ca), ca.ACMEDirectory(), r)
}

// verify reads a chain and verifies it for a name against the root.
func verify(t testing.TB, ca *stepca.CA, chain [][]byte, name string) *x509.Certificate {
	t.Helper()
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		t.Fatal(err)
	}
	between := x509.NewCertPool()
	for _, der := range chain[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots(t, ca), Intermediates: between}); err != nil {
		t.Fatal(err)
	}
	return leaf
}

func contains(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v; want %q in it", err, want)
	}
}

// decode returns the certificates in a PEM text.
func decode(t testing.TB, text string) [][]byte {
	t.Helper()
	var out [][]byte
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		out = append(out, block.Bytes)
	}
	if len(out) == 0 {
		t.Fatalf("no certificate in %q", text)
	}
	return out
}
