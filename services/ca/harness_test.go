package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
)

const (
	domain = "phoenix.localhost"
	// asService has the test's own program be the service.
	asService = "PHOENIX_TEST_AS_SERVICE"
)

func TestMain(m *testing.M) {
	if os.Getenv(asService) != "" {
		main()
		return
	}
	// A logging library below step-ca flushes for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// stage is everything around the CA: a real bus, the proxy's part of ACME, and
// the test in the part of the other services.
type stage struct {
	bus         *bustest.Server
	provisioner *events.Bus
	ops         *events.Bus
	proxy       *acmetest.Responder
	config      service.Config
	file        string // the configuration's
	heard       *heard
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{bus: bustest.Start(t), proxy: acmetest.StartResponder(t)}
	s.provisioner = s.bus.Connect(t, events.Provisioner)
	s.ops = s.bus.Connect(t, events.Ops)
	folder := t.TempDir()
	listen := acmetest.Free(t)
	address, _, err := net.SplitHostPort(listen)
	if err != nil {
		t.Fatal(err)
	}
	s.config = service.Config{
		Stack: "home", Domain: domain, Address: address, Health: acmetest.Free(t), State: filepath.Join(folder, "state"),
		Bus: service.BusConfig{URL: s.bus.URL(), CA: s.bus.Folder.CA(), Identity: s.bus.Folder.Seed(events.CA)},
		Log: service.LogConfig{Level: "debug"},
		CA: &service.CAConfig{
			Listen: listen, Names: []string{"ca." + domain, address}, Domains: []string{domain},
			IPRanges: []string{"127.13.0.0/16"}, AllowLoopback: true,
		},
	}
	if err := os.Mkdir(s.config.State, 0o700); err != nil {
		t.Fatal(err)
	}
	s.file = filepath.Join(folder, "service.yaml")
	s.saveConfig(t)
	s.heard = listenTo(t, s.ops)
	return s
}

func (s *stage) saveConfig(t *testing.T) {
	t.Helper()
	raw, err := s.config.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run has the service work in this process until the test or the returned
// function ends it.
func (s *stage) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx, events.CA, []string{"-config", s.file}, t.Output(), build) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// spawn has the service run as a process of its own, which the returned function
// kills.
func (s *stage) spawn(t *testing.T) (kill func()) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0], "-config", s.file)
	cmd.Env = append(os.Environ(), asService+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}

// publish says p in the name of b's identity.
func publish(t *testing.T, b *events.Bus, p events.Payload) events.Ack {
	t.Helper()
	ack, err := b.Publish(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return ack
}

// containerReady says that the CA's own container is ready.
func (s *stage) containerReady(t *testing.T) uint64 {
	t.Helper()
	return publish(t, s.provisioner, events.ContainerReady{
		Stack: "home", Run: "home-1", ID: 103, Role: events.RoleCA, Address: s.config.Address, Driver: "local",
	}).Sequence
}

// proxyReady says that the proxy's container is ready.
func (s *stage) proxyReady(t *testing.T) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.proxy.Address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s.provisioner, events.ContainerReady{
		Stack: "home", Run: "home-1", ID: 102, Role: events.RoleProxy, Address: host, Driver: "local", Ports: map[string]int{"https": n},
	})
}

// register has the operator register a service.
func (s *stage) register(t *testing.T, name string) {
	t.Helper()
	publish(t, s.ops, events.ServiceRegistered{Name: name, URL: "http://127.13.0.200:3000"})
}

// heard is what was said on the bus.
type heard struct {
	mu       sync.Mutex
	messages []message
}

type message struct {
	subject string
	data    []byte
}

func listenTo(t *testing.T, b *events.Bus) *heard {
	t.Helper()
	h := &heard{}
	consumer, err := b.JetStream().OrderedConsumer(t.Context(), events.StreamEvents, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"ca.*", "cert.issued", "cert.failed"},
	})
	if err != nil {
		t.Fatal(err)
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.messages = append(h.messages, message{m.Subject(), bytes.Clone(m.Data())})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { consuming.Stop(); <-consuming.Closed() })
	return h
}

// said returns what the CA said of type T, in order.
func said[T events.Payload](t *testing.T, h *heard) []T {
	t.Helper()
	var zero T
	var out []T
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.messages {
		if m.subject != zero.Subject() {
			continue
		}
		var v T
		if err := json.Unmarshal(m.data, &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// awaitSaid waits until the CA has said a T that is right, and returns it.
func awaitSaid[T events.Payload](t *testing.T, h *heard, right func(T) bool) T {
	t.Helper()
	var out T
	eventually(t, func() error {
		all := said[T](t, h)
		i := slices.IndexFunc(all, right)
		if i < 0 {
			return fmt.Errorf("%s: heard %d, none is right", out.Subject(), len(all))
		}
		out = all[i]
		return nil
	})
	return out
}

// eventually tries until there is no error.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); {
		if err = try(); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal(err)
}

func always[T any](T) bool { return true }

// pool returns a pool of the root that ca.ready told of.
func pool(t *testing.T, ready events.CAReady) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM([]byte(ready.Root)) {
		t.Fatal("the root can't be read")
	}
	return p
}

// client trusts the root alone.
func client(t *testing.T, ready events.CAReady, certificates ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(t, ready), MinVersion: tls.VersionTLS12, Certificates: certificates}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// acme registers an account at the CA.
func (s *stage) acme(t *testing.T, ready events.CAReady) acmetest.Client {
	t.Helper()
	return acmetest.NewClient(t, client(t, ready), ready.ACMEDirectory, s.proxy)
}

// readiness asks the service whether it is ready.
func (s *stage) readiness(t *testing.T) (code int, report map[string]string) {
	t.Helper()
	resp, err := http.Get("http://" + s.config.Health + "/readyz")
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &report)
	return resp.StatusCode, report
}

// verify checks the chain of a certificate for a name.
func verify(t *testing.T, ready events.CAReady, chain, name string) *x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for block, rest := pem.Decode([]byte(chain)); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	if len(certs) != 2 {
		t.Fatalf("chain of %d certificates", len(certs))
	}
	between := x509.NewCertPool()
	between.AddCert(certs[1])
	if _, err := certs[0].Verify(x509.VerifyOptions{DNSName: name, Roots: pool(t, ready), Intermediates: between}); err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

// deadLetters returns the reasons of what was given up.
func (s *stage) deadLetters(t *testing.T) []string {
	t.Helper()
	letters, err := s.ops.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range letters {
		out = append(out, l.Reason)
	}
	return out
}

func csrPEM(t *testing.T, names ...string) string {
	t.Helper()
	csr := acmetest.CSR(t, acmetest.Key(t), names...)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr.Raw}))
}

func serialsOf(list []events.CertIssued) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Serial)
	}
	return out
}
