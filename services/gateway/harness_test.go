package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/pkg/unit/unittest"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

const (
	domain    = "phoenix.localhost"
	ownHost   = "gateway." + domain
	proxyHost = "proxy." + domain
	ip        = "127.15.2.1"
	// asService has the test's own program be the service.
	asService = "PHOENIX_TEST_AS_SERVICE"
)

func TestMain(m *testing.M) {
	if os.Getenv(asService) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// stage is everything around the gateway: a real bus, real nginx, a CA, a
// stand-in for Traefik, and the test in the part of the other services.
type stage struct {
	bus         *bustest.Server
	provisioner *events.Bus
	ca          *events.Bus
	proxyconf   *events.Bus
	units       *unittest.Runner

	authority *nginxtest.CA
	traefik   *nginxtest.Traefik
	config    service.Config
	file      string // the configuration's

	curve       string        // the gateway's public curve key
	sender      nkeys.KeyPair // proxyconf's curve key pair
	senderCurve string
	heard       *heard
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{bus: bustest.Start(t), units: unittest.Start(t), authority: nginxtest.NewCA(t)}
	s.provisioner = s.bus.Connect(t, events.Provisioner)
	s.ca = s.bus.Connect(t, events.CA)
	s.proxyconf = s.bus.Connect(t, events.Proxyconf)
	s.sender, s.senderCurve, _ = curve(t)
	s.traefik = nginxtest.StartTraefik(t, ip, s.authority.Pair(t, proxyHost))
	s.configure(t)
	s.heard = listen(t, s.bus.Connect(t, events.Bootstrap))
	return s
}

func curve(t *testing.T) (pair nkeys.KeyPair, public string, seed []byte) { //nolint:ireturn // nkeys has no other type
	t.Helper()
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	if seed, err = pair.Seed(); err != nil {
		t.Fatal(err)
	}
	return pair, public, seed
}

// configure writes what the provisioner would.
func (s *stage) configure(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	var seed []byte
	_, s.curve, seed = curve(t)
	curveFile := filepath.Join(folder, "curve.nk")
	if err := os.WriteFile(curveFile, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	https := nginxtest.Free(t, ip)
	s.config = service.Config{
		Stack: "home", Domain: domain, Address: ip, Health: nginxtest.Free(t, ip).String(), State: filepath.Join(folder, "state"),
		Bus:   service.BusConfig{URL: s.bus.URL(), CA: s.bus.Folder.CA(), Identity: s.bus.Folder.Seed(events.Gateway)},
		Curve: curveFile, Units: "unix:" + serveUnits(t, s.units),
		Gateway: &service.GatewayConfig{
			HTTPS: []string{https.String(), nginxtest.Free(t, "127.15.2.2").String()}, HTTP: []string{nginxtest.Free(t, ip).String()},
			PublicPort: int(https.Port()), Nginx: testenv.Nginx(t), NginxUnit: "101-nginx",
		},
	}
	s.file = filepath.Join(folder, "service.yaml")
	s.saveConfig(t)
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

// unitHost is the runner as phoenix-cli host would offer it.
type unitHost struct{ *unittest.Runner }

func (unitHost) Info(context.Context) (unit.Info, error) { return unit.Info{}, nil }
func (unitHost) Shutdown(context.Context) error          { return errors.New("not here") }

// serveUnits offers the runner on a socket, and returns its path.
func serveUnits(t *testing.T, units *unittest.Runner) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "units") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "s")
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: unit.NewHandler(unitHost{units}, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return path
}

// run has the gateway work in this process until the test or the returned
// function ends it.
func (s *stage) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx, events.Gateway, []string{"-config", s.file}, t.Output(), build) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// spawn has the gateway run as a process of its own, which may be killed.
func (s *stage) spawn(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	u := unit.Unit{Name: "101-gateway", Exec: []string{self, "-config", s.file}, Env: []string{asService + "=1"}}
	if _, err := s.units.Define(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if err := s.units.Start(t.Context(), u.Name); err != nil {
		t.Fatal(err)
	}
}

// url is where people open a host.
func (s *stage) url(host string) string {
	return "https://" + host + ":" + strconv.Itoa(s.config.Gateway.PublicPort) + "/"
}

func (s *stage) pid(t *testing.T, unitName string) int {
	t.Helper()
	status, err := s.units.Status(t.Context(), unitName)
	if err != nil {
		t.Fatal(err)
	}
	return status.PID
}

// say publishes as one of the other services.
func say(t *testing.T, as *events.Bus, p events.Payload) {
	t.Helper()
	if _, err := as.Publish(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) sayContainer(t *testing.T) {
	t.Helper()
	say(t, s.provisioner, events.ContainerReady{Stack: "home", Run: "home-1", ID: 101, Role: events.RoleGateway, Address: ip, Curve: s.curve})
}

func (s *stage) sayProxyContainer(t *testing.T) {
	t.Helper()
	say(t, s.provisioner, events.ContainerReady{
		Stack: "home", Run: "home-1", ID: 102, Role: events.RoleProxy, Address: ip, Curve: s.senderCurve,
		Ports: map[string]int{"https": int(s.traefik.Addr.Port())},
	})
}

func (s *stage) sayRoot(t *testing.T) {
	t.Helper()
	say(t, s.ca, events.CAReady{Root: string(s.authority.Root), RootFingerprint: s.authority.Fingerprint()})
}

func (s *stage) sayProxy(t *testing.T) {
	t.Helper()
	say(t, s.proxyconf, events.ProxyReady{Address: s.traefik.Addr.String(), Host: proxyHost})
}

// hand seals a pair, stores it and says so.
func (s *stage) hand(t *testing.T, serviceName string, pair seal.Pair) {
	t.Helper()
	s.store(t, pair, s.sender)
	s.announce(t, serviceName, pair)
}

// handing is hand, for later.
func (s *stage) handing(serviceName string, pair seal.Pair) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		s.hand(t, serviceName, pair)
	}
}

func (s *stage) store(t *testing.T, pair seal.Pair, sender nkeys.KeyPair) {
	t.Helper()
	data, err := seal.Seal(pair, s.curve, sender)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.proxyconf.PutSealed(t.Context(), pair.Host, data); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) announce(t *testing.T, serviceName string, pair seal.Pair) {
	t.Helper()
	say(t, s.proxyconf, events.GatewayCertificate{
		Host: pair.Host, Service: serviceName, Serial: pair.Serial, NotAfter: pair.NotAfter, Sealed: events.SealedSubject(pair.Host),
	})
}

// setUp has the other services say all that the gateway needs.
func (s *stage) setUp(t *testing.T) seal.Pair {
	t.Helper()
	own := s.authority.Pair(t, ownHost)
	s.sayContainer(t)
	s.sayProxyContainer(t)
	s.sayRoot(t)
	s.sayProxy(t)
	s.hand(t, "", own)
	return own
}

// probe returns the serial that nginx shows for the host.
func (s *stage) probe(t *testing.T, host string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	served, err := nginx.Probe(ctx, netip.MustParseAddrPort(s.config.Gateway.HTTPS[0]), host, s.authority.Roots())
	return served.Serial, err
}

func (s *stage) awaitServed(t *testing.T, pair seal.Pair) {
	t.Helper()
	eventually(t, pair.Host+" is served", func() error {
		serial, err := s.probe(t, pair.Host)
		if err == nil && serial != pair.Serial {
			err = fmt.Errorf("got the serial %s, want %s", serial, pair.Serial)
		}
		return err
	})
}

func (s *stage) record(t *testing.T, host string) (events.GatewayHost, error) {
	t.Helper()
	h, _, err := events.Load[events.GatewayHost](t.Context(), s.bus.Connect(t, events.Ops).Bucket(events.BucketGateway), "host."+host)
	return h, err
}

// ask asks the gateway for healthz, readyz or metrics.
func (s *stage) ask(t *testing.T, what string) (status int, body string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.config.Health+"/"+what, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), err
}

// eventually fails the test when try goes on failing. What a killed process had
// taken is delivered again after half a minute.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(90 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %s: %v", what, err)
		}
	}
}

// heard is all that the gateway said, in order.
type heard struct {
	mu       sync.Mutex
	messages []message
}

type message struct {
	subject string
	data    []byte
}

// listen notes what the gateway says until the test ends.
func listen(t *testing.T, b *events.Bus) *heard {
	t.Helper()
	h := &heard{}
	consumer, err := b.JetStream().OrderedConsumer(t.Context(), events.StreamEvents, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"gateway.ready", "gateway.applied", "service.ready.gateway", "service.failed.gateway"},
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

// said returns what the gateway said of type T, in order.
func said[T events.Payload](t *testing.T, h *heard) []T {
	t.Helper()
	var zero T
	var out []T
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.messages {
		if !strings.HasPrefix(m.subject, zero.Subject()) {
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

// awaitSaid waits until the gateway has said a T that is right.
func awaitSaid[T events.Payload](t *testing.T, h *heard, what string, right func(T) bool) {
	t.Helper()
	eventually(t, "the gateway says "+what, func() error {
		all := said[T](t, h)
		if slices.ContainsFunc(all, right) {
			return nil
		}
		return fmt.Errorf("it said %+v", all)
	})
}
