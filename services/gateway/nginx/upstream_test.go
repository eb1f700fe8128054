package nginx_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

func TestTraefikIsVerified(t *testing.T) {
	host := "a." + domain
	stranger := nginxtest.NewCA(t)
	for _, row := range []struct {
		name string
		pair func(*front) seal.Pair
		want int
	}{
		{"good", func(f *front) seal.Pair { return f.ca.Pair(t, "proxy."+domain) }, http.StatusOK},
		{"another CA", func(*front) seal.Pair { return stranger.Pair(t, "proxy."+domain) }, http.StatusBadGateway},
		{"another name", func(f *front) seal.Pair { return f.ca.Pair(t, host) }, http.StatusBadGateway},
		{"over", func(f *front) seal.Pair {
			return f.ca.Until(t, "proxy."+domain, nginxtest.NewKey(t), time.Now().Add(-time.Hour))
		}, http.StatusBadGateway},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFront(t)
			place(t, f.pairs, f.ca.Pair(t, host))
			f.config.Upstream = nginxtest.StartTraefik(t, ip, row.pair(f)).Addr
			f.apply(t)
			for _, contentType := range []string{"text/plain", "application/grpc"} {
				req := request(t, http.MethodPost, "https://"+host+"/echo", nil)
				req.Header.Set("Content-Type", contentType)
				status, body := do(t, f.client(t), req)
				if status != row.want || strings.Contains(body, "Header") != (row.want == http.StatusOK) {
					t.Errorf("%s: got %d %q, want %d", contentType, status, body, row.want)
				}
			}
		})
	}
}

func TestConnectionsToTraefikAreShared(t *testing.T) {
	a, b := "a."+domain, "b."+domain
	f := startFront(t, a, b)
	seen := map[string]bool{}
	for range 20 {
		for _, host := range []string{a, b} {
			seen[echo(t, f.client(t), request(t, http.MethodGet, "https://"+host+"/echo", nil)).RemoteAddr] = true
		}
	}
	// Each worker keeps its own.
	if len(seen) > 8 {
		t.Errorf("40 requests came over %d connections", len(seen))
	}
}

func TestTraefikRestarts(t *testing.T) {
	host := "a." + domain
	f := newFront(t)
	place(t, f.pairs, f.ca.Pair(t, host))
	first := nginxtest.StartTraefik(t, ip, f.ca.Pair(t, "proxy."+domain))
	f.config.Upstream = first.Addr
	f.apply(t)
	client := f.client(t)
	get := func() int {
		res, err := client.Do(request(t, http.MethodGet, "https://"+host+"/echo", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	if got := get(); got != http.StatusOK {
		t.Fatalf("before: got %d", got)
	}
	first.Close()
	if got := get(); got != http.StatusBadGateway {
		t.Errorf("while it is away: got %d, want 502", got)
	}
	nginxtest.StartTraefikAt(t, first.Addr, f.ca.Pair(t, "proxy."+domain))
	if got := get(); got != http.StatusOK {
		t.Errorf("at once after it is back: got %d, want 200", got)
	}
}
