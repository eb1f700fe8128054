package await_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/await"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a bus with a proxy and a gateway that serve everything but names
// that begin with "bad".
func world(t *testing.T) (*client.Operator, await.Waiter) {
	t.Helper()
	srv := bustest.Start(t)
	proxy, gateway := srv.Connect(t, events.Proxyconf), srv.Connect(t, events.Gateway)
	serve := func(ctx context.Context, e events.Event[events.ServiceRegistered]) error {
		if strings.HasPrefix(e.Data.Name, "bad") {
			return events.Invalid(errors.New("the host is taken"))
		}
		host := e.Data.Name + ".x"
		_, err := events.Save(ctx, gateway.Bucket(events.BucketGateway), "host."+host, events.GatewayHost{Host: host, State: events.StateReady})
		if err != nil {
			return err
		}
		_, err = events.Save(ctx, proxy.Bucket(events.BucketProxyconf), "service."+e.Data.Name, events.ServiceState{
			Name: e.Data.Name, Hosts: []string{host}, Backend: *e.Data.Backend, Owner: e.Speaker, State: events.StateReady,
		})
		return err
	}
	bustest.Run(t, events.On(proxy, serve))
	o, err := client.Connect(t.Context(), srv.URL(), srv.Folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	mark, err := o.Mark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o, await.Waiter{
		Op: o, Since: mark, Tell: func([]await.Missing) {},
		Facts: func(ctx context.Context) (view.Facts, error) { return o.Facts(ctx, "home") },
	}
}

func wish(name string) await.Wish {
	return await.Wish{
		Name: name, Hosts: []string{name + ".x"}, Owner: events.Ops,
		Backend: events.Backend{Scheme: "http", Address: "10.0.0.1", Port: 80},
	}
}

func register(t *testing.T, o *client.Operator, w await.Wish) {
	t.Helper()
	if _, err := o.Say(t.Context(), events.ServiceRegistered{Name: w.Name, Backend: &w.Backend}); err != nil {
		t.Fatal(err)
	}
}

func TestServed(t *testing.T) {
	o, w := world(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	register(t, o, wish("good"))
	if missing, err := w.Served(ctx, []await.Wish{wish("good")}); err != nil || len(missing) != 0 {
		t.Errorf("got %v, %v, want nothing missing", missing, err)
	}
}

func TestRefused(t *testing.T) {
	o, w := world(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	register(t, o, wish("bad"))
	register(t, o, wish("good"))
	missing, err := w.Served(ctx, []await.Wish{wish("bad"), wish("good")})
	if err != nil || len(missing) != 1 || missing[0] != (await.Missing{Name: "bad", Reason: "the host is taken", Refused: true}) {
		t.Errorf("got %v, %v, want bad alone, refused", missing, err)
	}
}

func TestGone(t *testing.T) {
	o, w := world(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if left, err := w.Gone(ctx, "good"); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v, want nothing left", left, err)
	}
	register(t, o, wish("good"))
	if _, err := w.Served(ctx, []await.Wish{wish("good")}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if left, err := w.Gone(short, "good"); !errors.Is(err, context.DeadlineExceeded) || len(left) != 1 {
		t.Errorf("got %v, %v, want it left", left, err)
	}
}

func TestNotServedInTime(t *testing.T) {
	_, w := world(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	missing, err := w.Served(ctx, []await.Wish{wish("late")})
	if !errors.Is(err, context.DeadlineExceeded) || len(missing) != 1 {
		t.Errorf("got %v, %v, want late missing", missing, err)
	}
}
