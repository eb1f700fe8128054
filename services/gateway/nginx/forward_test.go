package nginx_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestForwardsOverHTTP1AndHTTP2(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for proto, client := range map[string]*http.Client{"HTTP/1.1": f.client(t, http1), "HTTP/2.0": f.client(t, http2)} {
		res, err := client.Do(request(t, http.MethodGet, "https://"+host+"/echo?x=%2F;y", nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.Proto != proto || res.Header.Get("Server") != "nginx" {
			t.Errorf("got %s by %q, want %s by a server that tells no version", res.Proto, res.Header.Get("Server"), proto)
		}
		e := echo(t, client, request(t, http.MethodGet, "https://"+host+"/a%2Fb/c?x=%2F;y", nil))
		if e.Host != host || e.Path != "/a%2Fb/c?x=%2F;y" || e.Proto != "HTTP/1.1" || e.ServerName != "proxy."+domain {
			t.Errorf("over %s, Traefik saw %+v", proto, e)
		}
	}
}

func TestTellsTraefikWhoTheClientIs(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for _, client := range []*http.Client{f.client(t, http1), f.client(t, http2)} {
		port := f.port()
		req := request(t, http.MethodGet, "https://"+host+":"+port+"/echo", nil)
		req.Header = http.Header{
			"X-Forwarded-For": {"6.6.6.6", "7.7.7.7"}, "X-Real-Ip": {"6.6.6.6"}, "Forwarded": {"for=6.6.6.6"},
			"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Port": {"1"},
			"X-Forwarded-Prefix": {"/evil"}, "X-Forwarded-Uri": {"/evil"}, "X-Forwarded-Method": {"PUT"}, "X-Forwarded-Server": {"evil"},
			"X-Forwarded-Tls-Client-Cert": {"evil"}, "X-Forwarded-Tls-Client-Cert-Info": {"evil"}, "X_forwarded_for": {"6.6.6.6"},
			"X-Other": {"stays"},
		}
		e := echo(t, client, req)
		if e.Host != host+":"+port {
			t.Errorf("Host: got %q", e.Host)
		}
		for name, want := range map[string]string{
			"X-Forwarded-For": e.Header.Get("X-Real-Ip"), "X-Forwarded-Proto": "https",
			"X-Forwarded-Host": host + ":" + port, "X-Forwarded-Port": port, "X-Other": "stays",
		} {
			if got := e.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if ip := net.ParseIP(e.Header.Get("X-Real-Ip")); ip == nil || !ip.IsLoopback() {
			t.Errorf("X-Real-Ip: got %q, want the test's address", e.Header.Get("X-Real-Ip"))
		}
		for name, values := range e.Header {
			if strings.Contains(strings.Join(values, " "), "6.6.6.6") || strings.Contains(strings.Join(values, " "), "evil") {
				t.Errorf("%s: %q came through", name, values)
			}
		}
	}
}

func TestMisdirectedRequests(t *testing.T) {
	a, b := "a."+domain, "b."+domain
	f := startFront(t, a, b)
	for _, client := range []*http.Client{f.client(t, http1), f.client(t, http2)} {
		for _, host := range []string{b, "x." + domain, domain, "proxy.example.com", "127.0.0.1", "_none", a + ".example.com"} {
			req := request(t, http.MethodGet, "https://"+a+"/echo", nil)
			req.Host = host
			if status, _ := do(t, client, req); status != http.StatusMisdirectedRequest {
				t.Errorf("SNI %s, Host %s: got %d, want 421", a, host, status)
			}
		}
	}
	for _, head := range []string{
		"GET https://" + a + "/echo HTTP/1.1\r\nHost: " + b + "\r\n",
		"GET https://" + b + "/echo HTTP/1.1\r\nHost: " + a + "\r\n",
		"GET /echo HTTP/1.1\r\nHost: " + a + "\r\nHost: " + b + "\r\n",
		"GET /echo HTTP/1.1\r\n", "GET /echo HTTP/1.0\r\n", "GET /echo HTTP/1.1\r\nHost: a b\r\n", "GET /echo HTTP/1.1\r\nHost: " + a + "/../" + b + "\r\n",
	} {
		answer := f.raw(t, a, head+"Connection: close\r\n\r\n")
		if strings.Contains(answer, `"Host":"`+b) || strings.Contains(answer, "200 OK") && !strings.Contains(answer, `"Host":"`+a+`"`) {
			t.Errorf("%q: got %q", head, answer)
		}
	}
}

// raw sends text over TLS and returns all that comes back.
func (f *front) raw(t *testing.T, sni, text string) string {
	t.Helper()
	conn, err := f.handshake(t, &tls.Config{ServerName: sni, RootCAs: f.ca.Roots(), MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestPlainHTTPLeadsToHTTPS(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	plain := &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}, CheckRedirect: f.client(t).CheckRedirect}
	for _, row := range []struct {
		host   string
		status int
	}{
		{host, http.StatusPermanentRedirect},
		{host + ":8080", http.StatusPermanentRedirect},
		{strings.ToUpper(host), http.StatusPermanentRedirect},
		{"b." + domain, http.StatusNotFound},
		{domain, http.StatusNotFound},
		{"127.0.0.1", http.StatusNotFound},
		{"..", http.StatusBadRequest},
		{"_none", http.StatusNotFound},
		{"even", http.StatusNotFound},
	} {
		req := request(t, http.MethodPost, "http://"+f.config.HTTP[0].String()+"/p%20q/?x=1&y=%0d%0a", strings.NewReader("body"))
		req.Host = row.host
		res, err := plain.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		want := ""
		if row.status == http.StatusPermanentRedirect {
			want = "https://" + host + ":" + f.port() + "/p%20q/?x=1&y=%0d%0a"
		}
		if got := res.Header.Get("Location"); res.StatusCode != row.status || got != want {
			t.Errorf("%s: got %d to %q, want %d to %q", row.host, res.StatusCode, got, row.status, want)
		}
	}
}

func TestWebSocket(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	conn, err := f.handshake(t, &tls.Config{ServerName: host, RootCAs: f.ca.Roots(), MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: "+host+"\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("got %s to %q", res.Status, res.Header.Get("Upgrade"))
	}
	for i := range 3 {
		line := fmt.Sprintf("message %d\n", i)
		_, _ = io.WriteString(conn, line)
		if got, err := r.ReadString('\n'); err != nil || got != line {
			t.Fatalf("got %q, %v, want %q", got, err, line)
		}
	}
}

func TestNoUpgradeToHTTP2BehindTheServersBack(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	answer := f.raw(t, host, "GET /echo HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	if !strings.Contains(answer, "200 OK") || strings.Contains(answer, "h2c") {
		t.Errorf("got %q", answer)
	}
}

// TestStreams talks in turns, which only works when nothing waits for the end
// of a request or an answer.
func TestStreams(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for _, row := range []struct {
		name, contentType string
		client            *http.Client
		upstream          string
	}{
		{"over HTTP/2", "text/plain", f.client(t, http2), "HTTP/1.1"},
		{"gRPC", "application/grpc", f.client(t, http2), "HTTP/2.0"},
		{"gRPC with a format", "application/grpc+proto", f.client(t, http2), "HTTP/2.0"},
		{"gRPC-Web", "application/grpc-web+proto", f.client(t, http2), "HTTP/1.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 3 { // later rounds use kept connections
				f.converse(t, row.client, host, row.contentType, row.upstream)
			}
		})
	}
}

func (f *front) converse(t *testing.T, client *http.Client, host, contentType, upstream string) {
	t.Helper()
	in, out := io.Pipe()
	defer func() { _ = out.Close() }()
	req := request(t, http.MethodPost, "https://"+host+"/drip", in)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("TE", "trailers")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	for i := range 3 {
		_, _ = fmt.Fprintf(out, "turn %d\n", i)
		want := fmt.Sprintf("%s turn %d\n", upstream, i)
		if line, err := lines.ReadString('\n'); err != nil || line != want {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
	}
	_ = out.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
		t.Errorf("got %q, %v at the end", rest, err)
	}
	if upstream == "HTTP/2.0" && res.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("trailers: got %v", res.Trailer)
	}
}

func TestGRPCCarriesTheSameFacts(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	req := request(t, http.MethodPost, "https://"+host+":8443/echo", strings.NewReader("x"))
	req.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "X-Forwarded-For": {"6.6.6.6"}, "Forwarded": {"for=6.6.6.6"}}
	e := echo(t, f.client(t, http2), req)
	if e.Proto != "HTTP/2.0" || e.Host != host+":8443" || e.ServerName != "proxy."+domain {
		t.Errorf("got %+v", e)
	}
	if got := e.Header.Get("X-Forwarded-For"); !net.ParseIP(got).IsLoopback() || e.Header.Get("Forwarded") != "" || e.Header.Get("Te") != "trailers" {
		t.Errorf("got %v", e.Header)
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestLargeUploadsAreNotKept(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	const size = 100 << 20
	// What nginx would want to keep, it now can't.
	if err := os.RemoveAll(filepath.Join(f.prefix, "tmp")); err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]*http.Client{"HTTP/1.1": f.client(t, http1), "HTTP/2": f.client(t, http2)} {
		for _, known := range []bool{true, false} {
			req := request(t, http.MethodPut, "https://"+host+"/length", io.LimitReader(zeros{}, size))
			if known {
				req.ContentLength = size
			}
			if status, body := do(t, client, req); status != http.StatusOK || body != strconv.Itoa(size) {
				t.Errorf("%s, length known: %t: got %d %q", name, known, status, body)
			}
		}
	}
}

func TestTraefiksOwnAnswersPass(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for _, code := range []int{201, 204, 304, 401, 404, 418, 421, 499, 500, 502, 503} {
		status, _ := do(t, f.client(t), request(t, http.MethodGet, fmt.Sprintf("https://%s/status/%d", host, code), nil))
		if status != code {
			t.Errorf("got %d, want %d", status, code)
		}
	}
}
