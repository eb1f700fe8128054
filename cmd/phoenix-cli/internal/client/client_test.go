package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// connect starts a bus and connects as the operator.
func connect(t *testing.T) (*bustest.Server, *client.Operator) {
	t.Helper()
	srv := bustest.Start(t)
	o, err := client.Connect(t.Context(), srv.URL(), srv.Folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return srv, o
}

func save[T any](t *testing.T, b *events.Bus, bucket, key string, v T) {
	t.Helper()
	if _, err := events.Save(t.Context(), b.Bucket(bucket), key, v); err != nil {
		t.Fatal(err)
	}
}

func TestFactsOfNothing(t *testing.T) {
	_, o := connect(t)
	f, err := o.Facts(t.Context(), "home")
	if err != nil {
		t.Fatal(err)
	}
	if s := view.NewStatus("home", f); s.State != events.StateAbsent {
		t.Errorf("got %+v, want an absent stack", s)
	}
	if _, err := o.Config(t.Context(), "home"); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestFacts(t *testing.T) {
	srv, o := connect(t)
	prov, ca := srv.Connect(t, events.Provisioner), srv.Connect(t, events.CA)
	proxy, gateway := srv.Connect(t, events.Proxyconf), srv.Connect(t, events.Gateway)
	save(t, prov, events.BucketProvisioner, "stack.home", events.StackState{Stack: "home", State: events.StateReady})
	save(t, prov, events.BucketProvisioner, "container.103", events.ContainerState{ID: 103, Stack: "home"})
	save(t, prov, events.BucketProvisioner, "container.203", events.ContainerState{ID: 203, Stack: "other"})
	save(t, ca, events.BucketCA, "ca", events.CAState{CAReady: events.CAReady{URL: "https://ca"}})
	save(t, ca, events.BucketCA, "cert.0a", events.CertState{Serial: "0a"})
	save(t, proxy, events.BucketProxyconf, "service.grafana", events.ServiceState{Name: "grafana", State: events.StateReady})
	save(t, gateway, events.BucketGateway, "host.grafana.x", events.GatewayHost{Host: "grafana.x", Serial: "0a"})
	stack := config.Default()
	stack.Services = []config.Service{{Name: "portainer", URL: "https://10.0.0.1:9443"}}
	raw := `{"services":[{"name":"portainer","url":"https://10.0.0.1:9443"}]}`
	if err := o.SaveConfig(t.Context(), "home", []byte(raw)); err != nil {
		t.Fatal(err)
	}

	f, err := o.Facts(t.Context(), "home")
	if err != nil {
		t.Fatal(err)
	}
	if f.Stack.State != events.StateReady || len(f.Containers) != 1 || f.CA.URL != "https://ca" ||
		len(f.Services) != 1 || f.Hosts["grafana.x"].Serial != "0a" || !reflect.DeepEqual(f.Wanted, client.Wanted(stack)) {
		t.Errorf("got %+v", f)
	}
	if got, err := o.Config(t.Context(), "home"); err != nil || !reflect.DeepEqual(got, stack) {
		t.Errorf("got %+v, %v, want %+v", got, err, stack)
	}
	certs, err := o.Certs(t.Context())
	if err != nil || len(certs) != 1 || certs[0].Serial != "0a" {
		t.Errorf("got %v, %v, want one certificate", certs, err)
	}
}

func TestStored(t *testing.T) {
	_, o := connect(t)
	none := func(client.Message) error { return errors.New("there is nothing to visit") }
	if err := o.Stored(t.Context(), client.From{}, none); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := o.Say(t.Context(), events.ServiceRemoved{Name: fmt.Sprintf("s%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []view.Event
	collect := func(m client.Message) error {
		got = append(got, m.Event())
		return nil
	}
	if err := o.Stored(t.Context(), client.From{Sequence: 2}, collect); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Sequence != 2 || got[0].Subject != "service.removed" || got[0].Speaker != events.Ops ||
		got[0].Source != "/ops" || string(got[0].Data) != `{"name":"s1"}` {
		t.Errorf("got %+v", got)
	}
	if err := o.Stored(t.Context(), client.From{Time: time.Now().Add(time.Hour)}, none); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := o.Stored(t.Context(), client.From{}, func(client.Message) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want the visitor's error", err)
	}
}

func TestFollowAcrossARestart(t *testing.T) {
	srv, o := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	say := func(name string) {
		if _, err := o.Say(ctx, events.ServiceRemoved{Name: name}); err != nil {
			t.Error(err)
		}
	}
	say("old")
	seen, done := make(chan uint64, 8), make(chan error, 1)
	mark, err := o.Mark(ctx)
	if err != nil {
		t.Fatal(err)
	}
	last := mark.Events
	go func() {
		done <- o.Follow(ctx, client.From{Sequence: last + 1}, func(m client.Message) error {
			seen <- m.Sequence
			if m.Sequence == last+3 {
				return client.ErrStop
			}
			return nil
		})
	}()
	say("a")
	if got := <-seen; got != last+1 {
		t.Fatalf("got %d, want %d", got, last+1)
	}
	srv.Restart(t)
	say("b")
	say("c")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a, b := <-seen, <-seen; a != last+2 || b != last+3 {
		t.Errorf("got %d and %d, want %d and %d", a, b, last+2, last+3)
	}
}

func TestFollowNew(t *testing.T) {
	_, o := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := o.Say(ctx, events.ServiceRemoved{Name: "old"}); err != nil {
		t.Fatal(err)
	}
	err := o.Follow(ctx, client.From{New: true}, func(m client.Message) error {
		return fmt.Errorf("saw %d", m.Sequence)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want nothing seen", err)
	}
}

func TestNearMisses(t *testing.T) {
	srv, o := connect(t)
	person := srv.Connect(t, events.Ops)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard, done := make(chan client.NearMiss, 8), make(chan error, 1)
	go func() { done <- o.NearMisses(ctx, func(m client.NearMiss) { heard <- m }) }()
	tick := time.NewTicker(20 * time.Millisecond) // until the subscription stands
	defer tick.Stop()
	for heardOne := false; !heardOne; {
		for _, subject := range []string{"unrelated", "service.removed", "service.registred"} {
			if err := person.Conn().Publish(subject, []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case m := <-heard:
			heardOne = true
			if m.Subject != "service.registred" || m.Meant != "service.registered" {
				t.Errorf("got %+v", m)
			}
		case <-tick.C:
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOutages(t *testing.T) {
	srv, o := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	told, done := make(chan bool, 8), make(chan struct{})
	begun := make(chan struct{})
	go func() {
		defer close(done)
		close(begun)
		o.Outages(ctx, func(lost bool) { told <- lost })
	}()
	<-begun
	for lost := false; !lost; { // the first outage may be before somebody listens
		srv.Restart(t)
		select {
		case lost = <-told:
		case <-time.After(time.Second):
		}
	}
	if lost := <-told; lost {
		t.Error("got another outage, want the end of the first")
	}
	cancel()
	<-done
}
