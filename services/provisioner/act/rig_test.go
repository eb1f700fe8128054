package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver/local"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/fakehost"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/membucket"
	"github.com/phoenix-platform/phoenix/services/provisioner/probe"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeBus remembers what was said, and fails when told to.
type fakeBus struct {
	mu   sync.Mutex
	said []events.Payload
	fail func(p events.Payload) error
	// registry is kept as the proxy's service would.
	registry *membucket.Bucket
}

func (b *fakeBus) Publish(_ context.Context, p events.Payload, _ ...events.PublishOption) (events.Ack, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(p); err != nil {
			return events.Ack{}, err
		}
	}
	b.said = append(b.said, p)
	return events.Ack{}, b.register(p)
}

func (b *fakeBus) register(p events.Payload) error {
	key := "service." + serviceName(p)
	switch p.(type) {
	case events.ServiceRegistered:
		raw, err := json.Marshal(events.ServiceState{Name: serviceName(p), Owner: events.Provisioner})
		if err != nil {
			return err
		}
		_, err = b.registry.Put(context.Background(), key, raw)
		return err
	case events.ServiceRemoved:
		return b.registry.Delete(context.Background(), key)
	}
	return nil
}

// lines lists what was said, as subject and service.
func (b *fakeBus) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, p := range b.said {
		out = append(out, strings.TrimSpace(p.Subject()+" "+serviceName(p)))
	}
	return out
}

// rig is a world of real files, with a host, a bus and probes that are not.
type rig struct {
	*World
	t      *testing.T
	host   *fakehost.Host
	bus    *fakeBus
	stacks *membucket.Bucket
	own    *membucket.Bucket
	// registry follows what is said on the bus.
	registry *membucket.Bucket
	home     string
	// seen lists what the probes looked at; look, if set, is what they say.
	seen []string
	look error
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, host: fakehost.New(), stacks: membucket.New(), own: membucket.New(), registry: membucket.New(), home: t.TempDir()}
	r.bus = &fakeBus{registry: r.registry}
	d, err := local.New(filepath.Join(r.home, "containers"), "127.17.1", r.host)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"ca", "proxyconf", "gateway"} {
		r.file("identities/"+id+".nk", "seed of "+id)
		r.file("programs/phoenix-"+id, "program "+id)
	}
	r.file("bus-ca.pem", "certificates")
	r.World = &World{
		Driver: d,
		Site: blueprint.Site{
			Addresses: "127.17.1", Driver: "local", Bus: "tls://127.17.1.100:4222", Units: "unix:/host.sock",
			Programs: filepath.Join(r.home, "programs"), Traefik: "/traefik", Nginx: "/nginx", Root: d.Root,
		},
		Bus: r.bus, Stacks: r.stacks, Own: r.own, Registry: r.registry, Log: slog.New(slog.DiscardHandler),
		Identities: filepath.Join(r.home, "identities"), BusCA: filepath.Join(r.home, "bus-ca.pem"),
		Probes: Probes{
			Alive: func(_ context.Context, address string) error { return r.probed("alive", address) },
			HTTPS: func(_ context.Context, e probe.Endpoint, url string) error {
				return r.probed("https", e.Dial, e.Name, e.Root, url)
			},
			Handshake: func(_ context.Context, e probe.Endpoint) error { return r.probed("tls", e.Dial, e.Name, e.Root) },
		},
	}
	return r
}

func (r *rig) probed(what ...string) error {
	r.seen = append(r.seen, strings.Join(what, " "))
	return r.look
}

// file writes a file into the home.
func (r *rig) file(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.home, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		r.t.Fatal(err)
	}
}

// want puts a configuration where the operator puts it.
func (r *rig) want(change func(*config.Stack)) {
	r.t.Helper()
	stack := config.Default()
	stack.Addresses = "127.17.1"
	change(&stack)
	raw, err := json.Marshal(stack)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.stacks.Put(r.t.Context(), "home", raw); err != nil {
		r.t.Fatal(err)
	}
}

// begin returns the state of a run that read its configuration.
func (r *rig) begin(run string) saga.State {
	r.t.Helper()
	s := saga.New("home")
	var sequence uint64
	if _, err := fmt.Sscanf(run, "home-%d", &sequence); err != nil {
		r.t.Fatal(err)
	}
	s = r.apply(s, saga.Requested{Request: saga.Request{Run: run, Sequence: sequence, Want: events.Present}})
	return r.apply(s, r.do(s, saga.Action{Kind: saga.Configure}))
}

func (r *rig) apply(s saga.State, e saga.Event) saga.State { return saga.Rules{}.Apply(s, e, s.Began) }

// do carries an action out that must succeed.
func (r *rig) do(s saga.State, a saga.Action) saga.Event {
	r.t.Helper()
	e, err := r.Do(r.t.Context(), s, a)
	if err != nil {
		r.t.Fatalf("%s: %v", a.Kind, err)
	}
	return e
}

// made makes container 103.
func (r *rig) made(s saga.State) saga.ContainerMade {
	r.t.Helper()
	e, ok := r.do(s, saga.Action{Kind: saga.Make, Container: 103}).(saga.ContainerMade)
	if !ok {
		r.t.Fatal("make did not make a container")
	}
	return e
}

// full returns the state of a run that made all its containers.
func (r *rig) full(run string) saga.State {
	r.t.Helper()
	s := r.begin(run)
	for _, id := range []int{103, 102, 101} {
		s = r.apply(s, r.do(s, saga.Action{Kind: saga.Look, Container: id}))
		s = r.apply(s, saga.ContainerRequested{Run: run, ID: id})
		s = r.apply(s, r.do(s, saga.Action{Kind: saga.Make, Container: id}))
	}
	return s
}

// foreign puts a folder of somebody else where container 103 shall be.
func (r *rig) foreign() { r.file("containers/103/precious", "data") }

func (r *rig) inspect(id int) (driver.Container, error) { return r.Driver.Inspect(r.t.Context(), id) }

func wantError(t *testing.T, err error, refused bool, text string) {
	t.Helper()
	if err == nil || errors.Is(err, ErrRefused) != refused || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want an error with %q, refused %t", err, text, refused)
	}
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}
