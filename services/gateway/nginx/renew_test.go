package nginx_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

// load makes handshakes until it is stopped, and counts them.
type load struct {
	done, failed atomic.Int64
	first        atomic.Value // the first failure
	stop         context.CancelFunc
	workers      sync.WaitGroup
}

func (f *front) load(t *testing.T, host string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{stop: cancel}
	for range 6 {
		l.workers.Go(func() {
			for ctx.Err() == nil {
				_, err := nginx.Probe(context.WithoutCancel(ctx), f.config.HTTPS[0], host, f.ca.Roots())
				l.done.Add(1)
				if err != nil && l.failed.Add(1) == 1 {
					l.first.Store(err)
				}
			}
		})
	}
	return l
}

// end fails the test if a handshake failed.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.workers.Wait()
	if l.done.Load() == 0 || l.failed.Load() != 0 {
		t.Errorf("%d of %d handshakes failed, the first with %v", l.failed.Load(), l.done.Load(), l.first.Load())
	}
	t.Logf("%d handshakes", l.done.Load())
}

func TestRenewalFailsNoHandshake(t *testing.T) {
	host := "a." + domain
	key := nginxtest.NewKey(t)
	for _, row := range []struct {
		name  string
		times int
		next  func(*front) seal.Pair
	}{
		{"same key", 100, func(f *front) seal.Pair { return f.ca.Renew(t, host, key) }},
		{"another key", 3, func(f *front) seal.Pair { return f.ca.Pair(t, host) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFront(t)
			place(t, f.pairs, row.next(f))
			f.apply(t)
			l := f.load(t, host)
			for range row.times {
				pair := row.next(f)
				place(t, f.pairs, pair)
				if serial, err := f.probe(t, host); err != nil || serial != pair.Serial {
					t.Errorf("got %s, %v, want %s", serial, err, pair.Serial)
				}
			}
			l.end(t)
		})
	}
}

func TestReloadFailsNoHandshake(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	l := f.load(t, host)
	both := f.config.HTTP
	for i := range 6 {
		f.config.HTTP = both[:i%2]
		f.apply(t)
	}
	l.end(t)
}

func TestRemovedHostIsRefusedAtOnce(t *testing.T) {
	a, b := "a."+domain, "b."+domain
	f := startFront(t, a, b)
	config := &tls.Config{
		ServerName: a, RootCAs: f.ca.Roots(), MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	f.handshakeAndAsk(t, config, a)
	client := f.client(t)
	echo(t, client, request(t, http.MethodGet, "https://"+a+"/echo", nil))

	if err := f.pairs.Remove(a); err != nil {
		t.Fatal(err)
	}
	if _, err := f.probe(t, a); err == nil {
		t.Error("got a handshake")
	}
	if status, _ := do(t, client, request(t, http.MethodGet, "https://"+a+"/echo", nil)); status != http.StatusMisdirectedRequest {
		t.Errorf("over the old connection: got %d, want 421", status)
	}
	resumed := f.client(t)
	transport(t, resumed).TLSClientConfig = config
	if status, _ := do(t, resumed, request(t, http.MethodGet, "https://"+a+"/echo", nil)); status != http.StatusMisdirectedRequest {
		t.Errorf("over a resumed session: got %d, want 421", status)
	}
	if _, err := f.probe(t, b); err != nil {
		t.Errorf("the other host: %v", err)
	}
	start := time.Now()
	again := f.ca.Pair(t, a)
	place(t, f.pairs, again)
	if serial, err := f.probe(t, a); err != nil || serial != again.Serial {
		t.Errorf("placed again: got %s, %v, want %s", serial, err, again.Serial)
	}
	t.Logf("placed and served after %s", time.Since(start))
}
