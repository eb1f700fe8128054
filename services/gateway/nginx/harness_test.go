package nginx_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit/unittest"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

// ip is where everything in these tests listens.
const ip = "127.15.1.1"

const unitName = "101-nginx"

// front is a real nginx before a stand-in for Traefik.
type front struct {
	ca      *nginxtest.CA
	units   *unittest.Runner
	prefix  string
	server  *nginx.Server
	pairs   *nginx.Pairs
	traefik *nginxtest.Traefik
	config  nginx.Config
}

// newFront prepares everything and starts the stand-in, but not nginx.
func newFront(tb testing.TB) *front {
	tb.Helper()
	f := &front{ca: nginxtest.NewCA(tb), units: unittest.Start(tb), prefix: filepath.Join(tb.TempDir(), "with space")}
	var err error
	if f.server, err = nginx.NewServer(f.prefix, testenv.Nginx(tb), unitName, f.units); err != nil {
		tb.Fatal(err)
	}
	f.pairs = openPairs(tb, f.prefix)
	f.traefik = nginxtest.StartTraefik(tb, ip, f.ca.Pair(tb, "proxy."+domain))
	https := nginxtest.Free(tb, ip)
	f.config = nginx.Config{
		Domain: domain, HTTPS: []netip.AddrPort{https, nginxtest.Free(tb, "127.15.1.2")},
		HTTP: []netip.AddrPort{nginxtest.Free(tb, ip)}, PublicPort: https.Port(),
		Upstream: f.traefik.Addr, UpstreamName: "proxy." + domain, Root: f.ca.Root, User: nginx.WorkerUser(),
	}
	return f
}

// startFront has nginx serve hosts.
func startFront(tb testing.TB, hosts ...string) *front {
	tb.Helper()
	f := newFront(tb)
	for _, host := range hosts {
		place(tb, f.pairs, f.ca.Pair(tb, host))
	}
	f.apply(tb)
	return f
}

// apply has nginx run with f.config and waits until it listens.
func (f *front) apply(tb testing.TB) {
	tb.Helper()
	if _, err := f.server.Apply(tb.Context(), f.config); err != nil {
		tb.Fatal(err)
	}
	f.awaitListening(tb)
}

func (f *front) awaitListening(tb testing.TB) {
	tb.Helper()
	eventually(tb, "nginx listens", func() bool {
		conn, err := f.dialer(tb.Context(), "tcp", "")
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// port is that of HTTPS.
func (f *front) port() string { return strconv.Itoa(int(f.config.PublicPort)) }

// eventually fails the test when ok stays false.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("not in time: %s", what)
		}
	}
}

// probe returns the serial that a handshake shows.
func (f *front) probe(tb testing.TB, host string) (string, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	served, err := nginx.Probe(ctx, f.config.HTTPS[0], host, f.ca.Roots())
	return served.Serial, err
}

// dialer connects to nginx whatever the address.
func (f *front) dialer(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, f.config.HTTPS[0].String())
}

// client is an HTTP client that trusts the CA alone.
func (f *front) client(tb testing.TB, protocols ...func(*http.Protocols)) *http.Client {
	tb.Helper()
	transport := &http.Transport{
		DialContext:     f.dialer,
		TLSClientConfig: &tls.Config{RootCAs: f.ca.Roots(), MinVersion: tls.VersionTLS12},
		Protocols:       new(http.Protocols),
	}
	for _, set := range protocols {
		set(transport.Protocols)
	}
	if len(protocols) == 0 {
		transport.Protocols.SetHTTP1(true)
		transport.Protocols.SetHTTP2(true)
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

// transport is the one that client made.
func transport(tb testing.TB, c *http.Client) *http.Transport {
	tb.Helper()
	own, ok := c.Transport.(*http.Transport)
	if !ok {
		tb.Fatalf("transport is a %T", c.Transport)
	}
	return own
}

// handshake connects by TLS.
func (f *front) handshake(tb testing.TB, config *tls.Config) (*tls.Conn, error) {
	tb.Helper()
	raw, err := f.dialer(tb.Context(), "tcp", "")
	if err != nil {
		tb.Fatal(err)
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(tb.Context()); err != nil {
		_ = raw.Close()
		return nil, err
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn, nil
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }

// do sends a request and returns the status and the body.
func do(tb testing.TB, c *http.Client, req *http.Request) (status int, body string) {
	tb.Helper()
	res, err := c.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func request(tb testing.TB, method, url string, body io.Reader) *http.Request {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, body)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// echo returns what Traefik saw of the request.
func echo(tb testing.TB, c *http.Client, req *http.Request) nginxtest.Echo {
	tb.Helper()
	status, body := do(tb, c, req)
	var e nginxtest.Echo
	if err := json.Unmarshal([]byte(body), &e); err != nil || status != http.StatusOK {
		tb.Fatalf("%s %s: got %d %.200q", req.Method, req.URL, status, body)
	}
	return e
}
