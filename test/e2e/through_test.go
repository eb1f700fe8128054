package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// What browsers and clients do besides asking for pages goes through gateway
// and proxy too.
func TestThroughTheFrontDoor(t *testing.T) {
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	client := s.client()
	base := "https://portainer." + domain + ":8443"
	s.reach(client, "portainer."+domain, "portainer")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	t.Run("websocket", func(t *testing.T) {
		c, resp, err := websocket.Dial(ctx, base+"/ws", &websocket.DialOptions{HTTPClient: http1(client)})
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != nil {
			defer func() { _ = resp.Body.Close() }()
		}
		defer func() { _ = c.CloseNow() }()
		if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != "hello" {
			t.Errorf("echo %q, %v", got, err)
		}
	})
	t.Run("large upload", func(t *testing.T) {
		const size = 64 << 20
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/upload", io.LimitReader(zeros{}, size))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var got struct {
			BodyLength int64 `json:"body_length"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.BodyLength != size {
			t.Errorf("%s: %d bytes came, %v", resp.Status, got.BodyLength, err)
		}
	})
	t.Run("stream", func(t *testing.T) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/stream?n=3&every=500ms", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		first := time.Since(start)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		if whole := time.Since(start); whole-first < 500*time.Millisecond {
			t.Errorf("first byte after %s of %s: the stream was held back", first, whole)
		}
	})
	t.Run("the client's address", func(t *testing.T) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "203.0.113.9")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil || bytes.Contains(body, []byte("203.0.113.9")) || !bytes.Contains(body, []byte("127.0.0.1")) {
			t.Errorf("the backend saw %s, %v", body, err)
		}
		if resp.ProtoMajor != 2 {
			t.Errorf("spoke %s", resp.Proto)
		}
	})
	t.Run("old TLS is refused", func(t *testing.T) {
		d := tls.Dialer{Config: &tls.Config{ //nolint:gosec // what has to be refused
			RootCAs: s.roots(), ServerName: "portainer." + domain, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
		}}
		if c, err := d.DialContext(ctx, "tcp", s.gateway()); err == nil {
			_ = c.Close()
			t.Error("TLS 1.1 was spoken")
		}
	})
	t.Run("another's host over a known name", func(t *testing.T) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "dr-phoenix." + domain
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("answered %s", resp.Status)
		}
	})
}

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// http1 is c without HTTP/2, which knows no upgrade.
func http1(c *http.Client) *http.Client {
	from := c.Transport.(*http.Transport)
	to := from.Clone()
	to.ForceAttemptHTTP2 = false
	to.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	to.TLSClientConfig.NextProtos = []string{"http/1.1"}
	return &http.Client{Transport: to, Timeout: c.Timeout}
}

func TestExternalBus(t *testing.T) {
	s := newStack(t)
	listen := s.block + ".100:4222"
	server := s.externalBus(listen)
	t.Cleanup(server)
	s.must("up", "--stand-in-backends", "--bus-url", "tls://"+listen)
	s.reach(s.client(), "portainer."+domain, "portainer")
	if hosts := s.find("phoenix-cli", "host"); len(hosts) != 1 {
		t.Errorf("hosts: %v", hosts)
	}
}

// Of several at once, one does it and the others are told who does.
func TestSecondUpWhileOneRuns(t *testing.T) {
	s := newStack(t)
	const several = 3
	results := make(chan result, several)
	for range several {
		go func() { results <- s.cli("up", "--stand-in-backends") }()
	}
	done, refused := 0, 0
	for range several {
		switch r := <-results; {
		case r.code == 0:
			done++
		case r.code == 1 && strings.Contains(r.stderr, "another command is changing this stack"):
			refused++
		default:
			t.Errorf("up: %s", r)
		}
	}
	if done == 0 || refused == 0 {
		t.Errorf("%d done, %d refused", done, refused)
	}
	s.reach(s.client(), "portainer."+domain, "portainer")
}

func TestHomeThatCannotBe(t *testing.T) {
	s := newStack(t)
	right := s.home
	l, err := net.Listen("unix", t.TempDir()+"/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s.home = l.Addr().String()
	if r := s.cli("up"); r.code != 1 || !strings.Contains(r.stderr, s.home) || !strings.Contains(r.stderr, "PHOENIX_HOME") {
		t.Errorf("a home that is no folder: %s", r)
	}
	s.home = right
}
