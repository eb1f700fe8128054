package serve_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/serve"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestMain(m *testing.M) {
	// A logging library below step-ca flushes for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// bus is a bucket and a speaker in memory that may be away.
type bus struct {
	mu     sync.Mutex
	away   bool
	values map[string][]byte
	said   []events.CertIssued
}

var errAway = errors.New("the bus is away")

func (b *bus) state() error {
	if b.away {
		return errAway
	}
	return nil
}

func (b *bus) Get(_ context.Context, key string) (value []byte, revision uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.values[key]
	if !ok {
		return nil, 0, errors.Join(b.state(), events.ErrNotFound)
	}
	return v, 1, b.state()
}

func (b *bus) Put(_ context.Context, key string, value []byte) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.away {
		b.values[key] = value
	}
	return 1, b.state()
}

func (b *bus) List(_ context.Context, prefix string) (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := maps.Clone(b.values)
	maps.DeleteFunc(out, func(key string, _ []byte) bool { return !strings.HasPrefix(key, prefix) })
	return out, b.state()
}

func (b *bus) Publish(_ context.Context, p events.Payload, _ ...events.PublishOption) (events.Ack, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := p.(events.CertIssued); ok && !b.away {
		b.said = append(b.said, c)
	}
	return events.Ack{}, b.state()
}

func (b *bus) set(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = away
}

func (b *bus) told() []events.CertIssued {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said
}

func open(t *testing.T, b *bus) *book.Book {
	t.Helper()
	out, err := book.Open(t.Context(), b, registry.Rules{Domain: "phoenix.localhost"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestIssuedWaitsForTheBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{values: map[string][]byte{}}
		issued := serve.NewIssued(b, open(t, b), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		b.set(true)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- issued.Run(ctx) }()
		issued.Add(stepca.Certificate{Serial: "0a", Way: stepca.WayACME}, stepca.Certificate{Serial: "0b", Way: stepca.WayJWK})
		time.Sleep(time.Hour)
		if told := b.told(); len(told) != 0 {
			t.Errorf("told of %+v", told)
		}
		b.set(false)
		time.Sleep(time.Minute)
		issued.Add(stepca.Certificate{Serial: "0a", Way: stepca.WayACME}) // again
		time.Sleep(time.Second)
		told := b.told()
		if len(told) != 2 {
			t.Fatalf("told of %+v", told)
		}
		for _, c := range told {
			if want := map[string]string{"acme": "proxy", "jwk": ""}[c.Issuer]; c.Holder != want {
				t.Errorf("holder of %s: %q", c.Issuer, c.Holder)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestNetworkWaitsForTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, &bus{values: map[string][]byte{}})
		network := serve.Network{Book: b}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := network.Endpoint(ctx, "a.phoenix.localhost"); err == nil {
			t.Error("an endpoint out of nothing")
		}
		time.AfterFunc(time.Second, func() {
			if err := b.SetProxy(t.Context(), book.Proxy{Origin: book.Origin{Sequence: 1}, ACME: "10.0.0.102:8443"}); err != nil {
				t.Error(err)
			}
		})
		got, err := network.Endpoint(t.Context(), "a.phoenix.localhost")
		if err != nil || got != "10.0.0.102:8443" {
			t.Errorf("got %q, %v", got, err)
		}
		if records, err := network.TXT(t.Context(), "_acme-challenge.a.phoenix.localhost"); records != nil || err != nil {
			t.Errorf("records %q, %v", records, err)
		}
	})
}
