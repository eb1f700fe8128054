package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit/unittest"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testacme"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testnet"
	"github.com/phoenix-platform/phoenix/services/proxyconf/serve"
)

// TestMain plays the program itself when the unit of Traefik starts it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serve.LaunchCommand {
		os.Exit(launch(os.Args[2:]))
	}
	goleak.VerifyTestMain(m)
}

const domain = "phoenix.localhost"

func host(name string) string { return name + "." + domain }

// house is everything around proxyconf: a real bus, a real Traefik, an ACME
// server, a gateway that opens what it is given, and somebody who listens.
type house struct {
	t     *testing.T
	srv   *bustest.Server
	ca    *testca.CA
	acme  *testacme.Server
	units *unittest.Runner
	block string // first three octets of all addresses

	provisioner, caBus, gateway, ops *events.Bus

	config  service.Config
	curve   nkeys.KeyPair // the gateway's
	stop    func()
	mu      sync.Mutex
	history []heard
}

// heard is one message on the bus.
type heard struct {
	subject string
	data    []byte
}

func newHouse(t *testing.T) *house {
	t.Helper()
	program := testenv.Traefik(t)
	h := &house{t: t, srv: bustest.Start(t), ca: testca.New(t), block: testnet.Block(t), units: unittest.Start(t)}
	h.acme = testacme.Start(t, h.ca, h.at("103:9000"), h.at("102:8443"))
	h.provisioner, h.caBus = h.srv.Connect(t, events.Provisioner), h.srv.Connect(t, events.CA)
	h.gateway, h.ops = h.srv.Connect(t, events.Gateway), h.srv.Connect(t, events.Ops)
	dir := t.TempDir()
	h.config = service.Config{
		Stack: "home", Domain: domain, Address: h.at("102"), State: dir, Curve: filepath.Join(dir, "curve.nk"),
		Proxy: &service.ProxyConfig{
			Listen: h.at("102:8443"), API: h.at("102:9091"), Traefik: program, TraefikUnit: "102-traefik", Gateway: []string{h.at("101")},
			AllowLoopback: true, Denied: []string{h.at("100"), h.at("101"), h.at("102"), h.at("103")},
		},
	}
	h.curve = curveKey(t)
	writeSeed(t, h.config.Curve, curveKey(t))
	h.listen()
	return h
}

// at completes an address of the house.
func (h *house) at(rest string) string { return h.block + "." + rest }

func curveKey(t *testing.T) nkeys.KeyPair {
	t.Helper()
	key, err := nkeys.CreateCurveKeys()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writeSeed(t *testing.T, path string, key nkeys.KeyPair) {
	t.Helper()
	seed, err := key.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, seed, 0o600); err != nil {
		t.Fatal(err)
	}
}

func public(t *testing.T, key nkeys.KeyPair) string {
	t.Helper()
	p, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// listen notes everything that is said.
func (h *house) listen() {
	consumer, err := h.ops.JetStream().OrderedConsumer(h.t.Context(), events.StreamEvents, jetstream.OrderedConsumerConfig{})
	if err != nil {
		h.t.Fatal(err)
	}
	reading, err := consumer.Consume(func(m jetstream.Msg) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.history = append(h.history, heard{m.Subject(), m.Data()})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		reading.Stop()
		<-reading.Closed()
	})
}

// start runs proxyconf until the test or stop ends it.
func (h *house) start() {
	h.t.Helper()
	set, err := setupOf(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	bus := h.srv.Connect(h.t, events.Proxyconf)
	rt := &service.Runtime{
		Config: h.config, Bus: bus, Health: service.NewHealth(), Metrics: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(h.t.Output(), nil)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	workers, err := assemble(ctx, rt, set, h.units)
	if err != nil {
		h.t.Fatal(err)
	}
	handlers := make([]events.Worker, 0, len(workers)+1)
	for _, w := range workers {
		handlers = append(handlers, w)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range append(handlers, events.Replays(bus, handlers...)) {
		group.Go(func() error { return w.Run(ctx) })
	}
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := group.Wait(); err != nil {
			h.t.Errorf("proxyconf: %v", err)
		}
		bus.Close()
	})
	h.t.Cleanup(h.stop)
}

// publish says something as one of the others.
func (h *house) publish(b *events.Bus, p events.Payload) uint64 {
	h.t.Helper()
	ack, err := b.Publish(h.within(20*time.Second), p)
	if err != nil {
		h.t.Fatal(err)
	}
	return ack.Sequence
}

func (h *house) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(h.t.Context(), d)
	h.t.Cleanup(cancel)
	return ctx
}

func (h *house) proxyReady() {
	h.t.Helper()
	set, err := setupOf(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	h.publish(h.provisioner, events.ContainerReady{Stack: "home", ID: 102, Role: events.RoleProxy, Name: "proxy", Address: h.at("102"), Ports: map[string]int{"https": 8443}, Curve: set.public})
}

func (h *house) gatewayReady() {
	h.t.Helper()
	h.publish(h.provisioner, events.ContainerReady{Stack: "home", ID: 101, Role: events.RoleGateway, Name: "gateway", Address: h.at("101"), Curve: public(h.t, h.curve)})
}

func (h *house) caReady() {
	h.t.Helper()
	sum := sha256.Sum256(h.ca.Certificate.Raw)
	h.publish(h.caBus, events.CAReady{
		URL: "https://" + h.at("103:9000"), ACMEDirectory: h.acme.Directory(), Root: string(h.ca.Root()),
		RootFingerprint: hex.EncodeToString(sum[:]), Duration: int64(24 * time.Hour / time.Second),
	})
}

// register exposes a backend of the test's own and returns the answer it gives.
func (h *house) register(name string, hosts ...string) string {
	h.t.Helper()
	body := "I am " + name
	h.publish(h.ops, events.ServiceRegistered{Name: name, Hosts: hosts, URL: serveText(h.t, body, nil)})
	return body
}

func (h *house) remove(name string) {
	h.t.Helper()
	h.publish(h.ops, events.ServiceRemoved{Name: name})
}

// serveText answers every request with the text.
func serveText(t *testing.T, text string, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.TLS = config
	if config == nil {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// get asks Traefik, verifying, over a connection of its own.
func (h *house) get(hostName string) (body, serial string, err error) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", h.at("102:8443"))
		},
		TLSClientConfig: &tls.Config{RootCAs: h.ca.Pool(), MinVersion: tls.VersionTLS12},
	}}
	defer client.CloseIdleConnections()
	res, err := client.Get("https://" + hostName + "/")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("status %s", res.Status))
	}
	return string(raw), seal.Serial(res.TLS.PeerCertificates[0].SerialNumber), err
}

// eventually waits until check finds nothing wrong.
func (h *house) eventually(what string, check func() error) {
	h.t.Helper()
	h.eventuallyWithin(40*time.Second, what, check)
}

func (h *house) eventuallyWithin(d time.Duration, what string, check func() error) {
	h.t.Helper()
	ctx := h.within(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.t.Fatalf("%s: %v", what, err)
		}
	}
}

// serves waits until Traefik answers with the body for the host.
func (h *house) serves(hostName, body string) {
	h.t.Helper()
	h.eventually(hostName+" is served", func() error {
		got, _, err := h.get(hostName)
		if err == nil && got != body {
			err = fmt.Errorf("body %q, want %q", got, body)
		}
		return err
	})
}

// said returns what was said on a subject so far.
func said[T events.Payload](h *house) []T {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var zero T
	var out []T
	for _, m := range h.history {
		if m.subject != zero.Subject() && m.subject != zero.Subject()+".proxyconf" {
			continue
		}
		var v T
		if err := json.Unmarshal(m.data, &v); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// hears waits until something was said that satisfies.
func hears[T events.Payload](h *house, what string, ok func(T) bool) T {
	h.t.Helper()
	var found T
	h.eventually(what, func() error {
		all := said[T](h)
		if i := slices.IndexFunc(all, ok); i >= 0 {
			found = all[i]
			return nil
		}
		return fmt.Errorf("not among %+v", all)
	})
	return found
}

// forgets drops what was said so far.
func (h *house) forgets() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.history = nil
}

// state waits until a service is recorded in a state.
func (h *house) state(name string, want events.State) events.ServiceState {
	h.t.Helper()
	var got events.ServiceState
	h.eventually("service "+name+" is "+string(want), func() error {
		var err error
		got, _, err = events.Load[events.ServiceState](h.within(5*time.Second), h.ops.Bucket(events.BucketProxyconf), "service."+name)
		if want == events.StateAbsent && errors.Is(err, events.ErrNotFound) {
			return nil
		}
		if err == nil && got.State != want {
			err = fmt.Errorf("it is %s: %s", got.State, got.Reason)
		}
		return err
	})
	return got
}

// opens fetches the pair that lies sealed for a host, as the gateway does.
func (h *house) opens(hostName, serial string) {
	h.t.Helper()
	set, err := setupOf(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	data, _, err := h.gateway.GetSealed(h.within(5*time.Second), hostName)
	if err != nil {
		h.t.Fatal(err)
	}
	pair, err := seal.Open(data, h.curve, set.public, hostName)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := pair.Verify(h.ca.Pool()); err != nil || pair.Serial != serial {
		h.t.Errorf("pair of %s has the serial %s, want %s; %v", hostName, pair.Serial, serial, err)
	}
}

// handed waits until the gateway was given the serial for a host.
func (h *house) handed(hostName, serial string) {
	h.t.Helper()
	hears(h, hostName+" is handed over", func(c events.GatewayCertificate) bool {
		return c.Host == hostName && c.Serial == serial && !c.Withdrawn
	})
	h.opens(hostName, serial)
}
