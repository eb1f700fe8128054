package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/provisioner/act"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver/local"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/fakehost"
	"github.com/phoenix-platform/phoenix/services/provisioner/probe"
	"github.com/phoenix-platform/phoenix/services/provisioner/reconcile"
)

// TestMain plays a service when the tests' program runs under a service's name.
func TestMain(m *testing.M) {
	if name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "phoenix-"); ok {
		os.Exit(playProgram(events.Identity(name)))
	}
	goleak.VerifyTestMain(m)
}

// block is where the tests' containers would be; nothing listens there.
const block = "127.17.3"

// rig is a provisioner on a real bus, with a real driver on real files. The host
// runs nothing, and the other services are played.
type rig struct {
	t     *testing.T
	bus   *bustest.Server
	ops   *events.Bus
	host  *fakehost.Host
	home  string
	world func(*act.World) // changes the world of provisioners started from now on

	// silent services don't answer, dead ones are not alive, a shut door does
	// not open.
	silent, dead, shut atomic.Bool
	stop               func()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, bus: bustest.Start(t), host: fakehost.New(), home: t.TempDir(), world: func(*act.World) {}}
	for _, id := range []events.Identity{events.CA, events.Proxyconf, events.Gateway} {
		seed, err := os.ReadFile(r.bus.Folder.Seed(id))
		if err != nil {
			t.Fatal(err)
		}
		r.file("identities/"+string(id)+".nk", seed)
		r.file("programs/phoenix-"+string(id), []byte("program"))
	}
	r.ops = r.bus.Connect(t, events.Ops)
	r.configure("home", func(*config.Stack) {})
	r.play()
	return r
}

func (r *rig) file(name string, content []byte) {
	r.t.Helper()
	path := filepath.Join(r.home, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
		r.t.Fatal(err)
	}
}

// configure puts a stack's configuration where the operator puts it.
func (r *rig) configure(name string, change func(*config.Stack)) {
	r.t.Helper()
	stack := config.Default()
	stack.Stack, stack.Addresses = name, block
	change(&stack)
	if _, err := events.Save(r.t.Context(), r.ops.Bucket(events.BucketStacks), name, stack); err != nil {
		r.t.Fatal(err)
	}
}

// play answers container.ready as the other services would.
func (r *rig) play() {
	r.t.Helper()
	root, fingerprint := rootCertificate(r.t)
	answers := map[events.Identity]struct {
		role   events.Role
		answer events.Payload
	}{
		events.CA:        {events.RoleCA, events.CAReady{URL: "https://ca.phoenix.localhost:9000", Root: root, RootFingerprint: fingerprint}},
		events.Proxyconf: {events.RoleProxy, events.ProxyReady{Address: block + ".102:8443", Host: "proxy.phoenix.localhost"}},
		events.Gateway:   {events.RoleGateway, events.GatewayReady{Addresses: []string{block + ".101:8443"}}},
	}
	for id, a := range answers {
		b := r.bus.Connect(r.t, id)
		bustest.Run(r.t, events.On(b, func(ctx context.Context, e events.Event[events.ContainerReady]) error {
			if e.Data.Role != a.role || r.silent.Load() {
				return nil
			}
			_, err := b.Publish(ctx, a.answer)
			return err
		}))
		if id == events.Proxyconf {
			r.playRegistry(b)
		}
	}
}

// playRegistry keeps the proxy's bucket as its service would.
func (r *rig) playRegistry(b *events.Bus) {
	registry := b.Bucket(events.BucketProxyconf)
	bustest.Run(r.t,
		events.On(b, func(ctx context.Context, e events.Event[events.ServiceRegistered]) error {
			_, err := events.Save(ctx, registry, "service."+e.Data.Name, events.ServiceState{Name: e.Data.Name, Owner: e.Speaker})
			return err
		}),
		events.On(b, func(ctx context.Context, e events.Event[events.ServiceRemoved]) error {
			return registry.Delete(ctx, "service."+e.Data.Name)
		}),
	)
}

// rootCertificate returns some CA certificate and its fingerprint.
func rootCertificate(t *testing.T) (root, fingerprint string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	sum := sha256.Sum256(s.Certificate().Raw)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), hex.EncodeToString(sum[:])
}

// start runs a provisioner until stop is called or the test ends.
func (r *rig) start() {
	r.t.Helper()
	rt := r.runtime()
	d, err := local.New(rt.Config.Provisioner.Containers, block, r.host)
	if err != nil {
		r.t.Fatal(err)
	}
	world, err := newWorld(rt, d)
	if err != nil {
		r.t.Fatal(err)
	}
	world.Probes = r.probes()
	r.world(world)
	pace := reconcile.DefaultPace()
	pace.Watch = 200 * time.Millisecond
	list, err := workers(r.t.Context(), rt, world, pace)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range list {
		group.Go(func() error { return w.Run(ctx) })
	}
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := group.Wait(); err != nil {
			r.t.Errorf("provisioner: %v", err)
		}
	}
	r.t.Cleanup(r.stop)
}

func (r *rig) runtime() *service.Runtime {
	r.t.Helper()
	return &service.Runtime{
		Bus: r.bus.Connect(r.t, events.Provisioner),
		Log: slog.New(slog.NewTextHandler(r.t.Output(), nil)),
		Config: service.Config{
			Bus: service.BusConfig{URL: r.bus.URL(), CA: r.bus.Folder.CA()}, Units: "unix:" + filepath.Join(r.home, "host.sock"),
			Provisioner: &service.ProvisionerConfig{
				Home: r.home, Driver: "local", Addresses: block, Containers: filepath.Join(r.home, "containers"),
				Identities: filepath.Join(r.home, "identities"), Programs: filepath.Join(r.home, "programs"),
			},
		},
	}
}

func (r *rig) probes() act.Probes {
	unless := func(b *atomic.Bool, reason string) error {
		if b.Load() {
			return errors.New(reason)
		}
		return nil
	}
	return act.Probes{
		Alive:     func(context.Context, string) error { return unless(&r.dead, "connection refused") },
		HTTPS:     func(context.Context, probe.Endpoint, string) error { return unless(&r.shut, "502") },
		Handshake: func(context.Context, probe.Endpoint) error { return nil },
	}
}

// request asks for a stack and returns the run that answers.
func (r *rig) request(p events.StackRequested) (run string) {
	r.t.Helper()
	ack, err := r.ops.Publish(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return events.RunID(p.Stack, ack.Sequence)
}

func (r *rig) up() string { return r.request(events.StackRequested{Stack: "home"}) }

// message is a message of the stream of events.
type message struct {
	subject string
	data    []byte
}

// history reads the stream of events.
func (r *rig) history() []message {
	r.t.Helper()
	stream, err := r.ops.JetStream().Stream(r.t.Context(), events.StreamEvents)
	if err != nil {
		r.t.Fatal(err)
	}
	info, err := stream.Info(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var out []message
	for seq := uint64(1); seq <= info.State.LastSeq; seq++ {
		m, err := stream.GetMsg(r.t.Context(), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, message{m.Subject, m.Data})
	}
	return out
}

// patience is how long something that must happen may take.
const patience = 100 * time.Second

// eventually waits for ok.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			for _, m := range r.history() {
				r.t.Logf("%s %s", m.subject, m.data)
			}
			r.t.Fatalf("did not happen: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// end waits for the event that ends a run.
func end[T events.Payload](r *rig, run string) T {
	r.t.Helper()
	var out T
	r.eventually(out.Subject()+" of "+run, func() bool {
		for _, m := range r.history() {
			var id struct{ Run string }
			if m.subject != out.Subject() || json.Unmarshal(m.data, &id) != nil || id.Run != run {
				continue
			}
			if err := json.Unmarshal(m.data, &out); err != nil {
				r.t.Fatal(err)
			}
			return true
		}
		return false
	})
	return out
}

// count counts the messages on a subject.
func (r *rig) count(subject string) int {
	r.t.Helper()
	n := 0
	for _, m := range r.history() {
		if m.subject == subject {
			n++
		}
	}
	return n
}

// stack returns the stack's state as others read it.
func (r *rig) stack() events.StackState {
	r.t.Helper()
	s, _, err := events.Load[events.StackState](r.t.Context(), r.ops.Bucket(events.BucketProvisioner), "stack.home")
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// containers returns the containers' states as others read them.
func (r *rig) containers() map[string]events.ContainerState {
	r.t.Helper()
	out, err := events.All[events.ContainerState](r.t.Context(), r.ops.Bucket(events.BucketProvisioner), "container.")
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// folders lists the containers' folders.
func (r *rig) folders() []string {
	r.t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.home, "containers"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// letter waits for the dead letter of a message whose reason contains text.
func (r *rig) letter(sequence uint64, text string) {
	r.t.Helper()
	r.eventually("a dead letter with "+text, func() bool {
		letters, err := r.ops.DeadLetters(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		for _, l := range letters {
			if l.Sequence == sequence && strings.Contains(l.Reason, text) {
				return true
			}
		}
		return false
	})
}

// stumbling is a driver that fails when told to.
type stumbling struct {
	driver.Driver
	push func() error
}

func (s stumbling) Push(ctx context.Context, r driver.Ref, f driver.File) (bool, error) {
	if err := s.push(); err != nil {
		return false, err
	}
	return s.Driver.Push(ctx, r, f)
}
