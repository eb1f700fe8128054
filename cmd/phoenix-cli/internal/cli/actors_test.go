package cli_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// actors play the services: what is asked for is there at once.
type actors struct {
	s       *stage
	prov    *events.Bus
	ca      *events.Bus
	proxy   *events.Bus
	gateway *events.Bus
	door    *httptest.Server

	mu      sync.Mutex
	refuses map[string]string // service → reason
	silent  map[string]bool   // services that are never served
	fails   string            // why the stack can't be had
	mute    bool              // nobody answers a wish for the stack
}

// play starts the actors. Their front door has a certificate for example.com,
// so that is the stack's address.
func (s *stage) play() *actors {
	s.t.Helper()
	a := &actors{
		s: s, prov: s.as(events.Provisioner), ca: s.as(events.CA), proxy: s.as(events.Proxyconf), gateway: s.as(events.Gateway),
		refuses: map[string]string{}, silent: map[string]bool{},
	}
	a.door = httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.t.Cleanup(a.door.Close)
	registered := events.On(a.proxy, a.serviceRegistered)
	bustest.Run(s.t, events.On(a.prov, a.stackRequested), registered, events.On(a.proxy, a.serviceRemoved), events.Replays(a.proxy, registered))
	return a
}

func (a *actors) root() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.door.Certificate().Raw}))
}

// set changes how the actors play.
func (a *actors) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

func save[T any](ctx context.Context, b *events.Bus, bucket, key string, v T) error {
	_, err := events.Save(ctx, b.Bucket(bucket), key, v)
	return err
}

func say(ctx context.Context, b *events.Bus, payloads ...events.Payload) error {
	for _, p := range payloads {
		if _, err := b.Publish(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (a *actors) stackRequested(ctx context.Context, e events.Event[events.StackRequested]) error {
	a.mu.Lock()
	fails, mute := a.fails, a.mute
	a.mu.Unlock()
	run := events.RunID(e.Data.Stack, e.Sequence)
	switch {
	case mute:
		return nil
	case fails != "":
		return say(ctx, a.prov, events.StackFailed{Stack: e.Data.Stack, Run: run, Step: "ca", Reason: fails, Undone: []string{"container 103"}})
	case e.Data.Want == events.Absent:
		return a.remove(ctx, e.Data.Stack, run)
	}
	return a.make(ctx, e.Data.Stack, run)
}

func (a *actors) remove(ctx context.Context, stack, run string) error {
	if err := save(ctx, a.prov, events.BucketProvisioner, "stack."+stack, events.StackState{Stack: stack, State: events.StateAbsent}); err != nil {
		return err
	}
	return say(ctx, a.prov, events.ContainerRemoved{Stack: stack, ID: 103, Role: events.RoleCA}, events.StackRemoved{Stack: stack, Run: run})
}

// make answers a wish for a stack: one container, a CA, a gateway, and the
// configured services.
func (a *actors) make(ctx context.Context, stack, run string) error {
	raw, _, err := a.prov.Bucket(events.BucketStacks).Get(ctx, stack)
	if err != nil {
		return err
	}
	conf, err := config.Decode(raw)
	if err != nil {
		return events.Invalid(err)
	}
	door, err := netip.ParseAddrPort(a.door.Listener.Addr().String())
	if err != nil {
		return err
	}
	ca := events.CAReady{URL: "https://ca", Root: a.root(), RootFingerprint: "00"}
	container := events.ContainerState{
		ID: 101, Role: events.RoleGateway, Stack: stack, Address: door.Addr().String(), Driver: "local", State: events.StateReady,
		Ports: map[string]int{"https": int(door.Port())},
	}
	const address = "https://example.com:8443/"
	state := events.StackState{Stack: stack, State: events.StateReady, Run: run, Domain: conf.Domain, Address: address}
	err = errors.Join(
		save(ctx, a.ca, events.BucketCA, "ca", events.CAState{CAReady: ca}),
		save(ctx, a.prov, events.BucketProvisioner, "container.101", container),
		save(ctx, a.prov, events.BucketProvisioner, "container.102", events.ContainerState{ID: 102, Stack: stack, State: events.StateReady}),
		save(ctx, a.prov, events.BucketProvisioner, "container.103", events.ContainerState{ID: 103, Stack: stack, State: events.StateReady}),
		save(ctx, a.prov, events.BucketProvisioner, "stack."+stack, state),
		say(ctx, a.prov, events.ContainerRequested{Stack: stack, ID: 101, Role: events.RoleGateway}),
		say(ctx, a.prov, events.ContainerReady{Stack: stack, ID: 101, Role: events.RoleGateway, Address: container.Address}),
		say(ctx, a.ca, ca),
	)
	for _, s := range conf.Services {
		err = errors.Join(err, say(ctx, a.prov, s.Registration()))
	}
	return errors.Join(err, say(ctx, a.prov, events.StackReady{Stack: stack, Run: run, Address: address}))
}

func (a *actors) serviceRegistered(ctx context.Context, e events.Event[events.ServiceRegistered]) error {
	a.mu.Lock()
	reason, silent := a.refuses[e.Data.Name], a.silent[e.Data.Name]
	a.mu.Unlock()
	if reason != "" {
		return events.Invalid(errors.New(reason))
	}
	backend, err := name.ParseBackend(e.Data.URL, e.Data.Backend)
	if err != nil {
		return events.Invalid(err)
	}
	hosts := e.Data.Hosts
	if len(hosts) == 0 {
		hosts = []string{e.Data.Name + ".phoenix.localhost"}
	}
	state := events.ServiceState{
		Name: e.Data.Name, Hosts: hosts, Backend: backend, Issuer: e.Data.Issuer, Owner: e.Speaker, State: events.StateReady,
		Encrypted: backend.Scheme == "https", Verified: backend.Scheme == "https",
	}
	if err := save(ctx, a.proxy, events.BucketProxyconf, "service."+state.Name, state); err != nil || silent {
		return err
	}
	for _, h := range hosts {
		served := events.GatewayHost{Host: h, Service: state.Name, Serial: "0a", NotAfter: a.door.Certificate().NotAfter, State: events.StateReady}
		err = errors.Join(err, save(ctx, a.gateway, events.BucketGateway, "host."+h, served))
	}
	return errors.Join(err, say(ctx, a.gateway, events.ServiceReady{Name: state.Name, Serial: "0a"}))
}

func (a *actors) serviceRemoved(ctx context.Context, e events.Event[events.ServiceRemoved]) error {
	a.mu.Lock()
	silent := a.silent[e.Data.Name]
	a.mu.Unlock()
	if silent {
		return nil
	}
	return errors.Join(
		a.proxy.Bucket(events.BucketProxyconf).Delete(ctx, "service."+e.Data.Name),
		a.gateway.Bucket(events.BucketGateway).Delete(ctx, "host."+e.Data.Name+".phoenix.localhost"),
	)
}
