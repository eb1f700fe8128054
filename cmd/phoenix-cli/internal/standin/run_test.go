package standin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// site is a set of stand-ins that are served until the test ends.
type site struct {
	placed []Placed
	client *http.Client
}

func serve(t *testing.T, services ...Service) *site {
	t.Helper()
	p := place(t)
	placed, u, err := Prepare(p, services)
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background()) // the test's own ends before its clean-up
	done := make(chan error, 1)
	go func() { done <- Run(ctx, u.Exec[len(u.Exec)-1], slog.New(slog.DiscardHandler)) }()
	s := &site{placed: placed, client: &http.Client{Transport: &http.Transport{
		TLSClientConfig: pinned(placed), ForceAttemptHTTP2: true,
	}}}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for _, at := range placed {
		await(t, strings.TrimPrefix(strings.TrimPrefix(at.URL, "https://"), "http://"))
	}
	return s
}

// pinned trusts the certificates whose fingerprints were told.
func pinned(placed []Placed) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the fingerprint is verified instead
		VerifyConnection: func(cs tls.ConnectionState) error {
			sum := sha256.Sum256(cs.PeerCertificates[0].Raw)
			for _, p := range placed {
				if p.Fingerprint == hex.EncodeToString(sum[:]) {
					return nil
				}
			}
			return errors.New("not one of the fingerprints")
		},
	}
}

func await(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatalf("nobody listens on %s", address)
}

// answer is a response whose body is closed when the test ends.
type answer struct{ *http.Response }

func (s *site) do(t *testing.T, method, url string, body io.Reader, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	check(t, err)
	if header != nil {
		req.Header = header
	}
	res, err := s.client.Do(req)
	check(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return answer{res}
}

func TestEchoSaysWhatArrived(t *testing.T) {
	s := serve(t, Service{"plain", "http"}, Service{"safe", "https"})
	for _, p := range s.placed {
		body := strings.Repeat("x", 3<<20)
		res := s.do(t, http.MethodPost, p.URL+"/a/b?c=d", strings.NewReader(body), http.Header{"X-Forwarded-For": {"192.0.2.7"}})
		var got Echo
		check(t, json.NewDecoder(res.Body).Decode(&got))
		if res.StatusCode != http.StatusOK || got.Service != p.Service || got.Method != http.MethodPost || got.Path != "/a/b" ||
			got.Query != "c=d" || got.BodyLength != int64(len(body)) || got.Headers.Get("X-Forwarded-For") != "192.0.2.7" {
			t.Errorf("%s: got %d, %+v", p.Service, res.StatusCode, got)
		}
		wantProto := map[string]string{"plain": "HTTP/1.1", "safe": "HTTP/2.0"}[p.Service]
		if got.Proto != wantProto || got.Host != strings.SplitN(p.URL, "//", 2)[1] {
			t.Errorf("%s: got %s for %s, want %s", p.Service, got.Proto, got.Host, wantProto)
		}
	}
}

func TestCertificateNamesServiceAndAddress(t *testing.T) {
	s := serve(t, Service{"safe", "https"})
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.placed[0].URL, "https://"), pinned(s.placed))
	check(t, err)
	leaf := conn.ConnectionState().PeerCertificates[0]
	_ = conn.Close()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, name := range []string{"safe", "127.14.3.200"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}, DisableKeepAlives: true}}
		res, err := client.Get(s.placed[0].URL)
		check(t, err)
		var got Echo
		check(t, json.NewDecoder(res.Body).Decode(&got))
		_ = res.Body.Close()
		if name == "safe" && got.TLSServerName != name {
			t.Errorf("server name: got %q, want %q", got.TLSServerName, name)
		}
	}
}

func TestWebSocketEcho(t *testing.T) {
	s := serve(t, Service{"plain", "http"}, Service{"safe", "https"})
	for _, p := range s.placed {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		conn, _, err := websocket.Dial(ctx, //nolint:bodyclose // the library closes it
			p.URL+"/ws", &websocket.DialOptions{
				HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: pinned(s.placed)}},
				HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}},
			})
		check(t, err)
		conn.SetReadLimit(maxMessage)
		for _, message := range [][]byte{[]byte("hello"), bytes.Repeat([]byte("x"), 200<<10)} {
			check(t, conn.Write(ctx, websocket.MessageBinary, message))
			kind, got, err := conn.Read(ctx)
			if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, message) {
				t.Errorf("%s: got %d bytes, %v", p.Service, len(got), err)
			}
		}
		check(t, conn.Close(websocket.StatusNormalClosure, ""))
		cancel()
	}
}

func TestOpenWebSocketDoesNotHoldUpTheEnd(t *testing.T) {
	s := serve(t, Service{"plain", "http"})
	conn, _, err := websocket.Dial(t.Context(), s.placed[0].URL, nil) //nolint:bodyclose // the library closes it
	check(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
}

func TestStreamArrivesChunkByChunk(t *testing.T) {
	s := serve(t, Service{"safe", "https"})
	begin := time.Now()
	res := s.do(t, http.MethodGet, s.placed[0].URL+"/stream?n=3&every=100ms", nil, nil)
	lines := bufio.NewScanner(res.Body)
	var arrivals []time.Duration
	for lines.Scan() {
		arrivals = append(arrivals, time.Since(begin))
		if want := fmt.Sprintf("chunk %d of 3", len(arrivals)); lines.Text() != want {
			t.Errorf("got %q, want %q", lines.Text(), want)
		}
	}
	if len(arrivals) != 3 || arrivals[2]-arrivals[0] < 150*time.Millisecond {
		t.Errorf("arrivals: %v", arrivals)
	}
	for _, query := range []string{"n=0", "n=x", "n=100000", "every=1h", "every=-1s", "every=x"} {
		if res := s.do(t, http.MethodGet, s.placed[0].URL+"/stream?"+query, nil, nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 400", query, res.StatusCode)
		}
	}
}

func TestCallIsEchoedWhileItIsMade(t *testing.T) {
	s := serve(t, Service{"safe", "https"})
	out, in := io.Pipe()
	t.Cleanup(func() { _ = in.Close() })
	res := s.do(t, http.MethodPost, s.placed[0].URL+"/pkg.Service/Method", out, http.Header{
		"Content-Type": {"application/grpc+proto"}, "Te": {"trailers"},
	})
	if res.ProtoMajor != 2 || res.Header.Get("Content-Type") != "application/grpc+proto" {
		t.Errorf("got %s, %v", res.Proto, res.Header)
	}
	for _, message := range []string{"\x00\x00\x00\x00\x03one", "\x00\x00\x00\x00\x03two"} {
		_, err := io.WriteString(in, message)
		check(t, err)
		got := make([]byte, len(message))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != message {
			t.Fatalf("got %q, %v, want %q", got, err, message)
		}
	}
	check(t, in.Close())
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) != 0 || res.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("got %q, %v, %v", rest, err, res.Trailer)
	}
}

func TestRunTellsWhatCannotBeServed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.14.3.201:0")
	check(t, err)
	defer func() { _ = taken.Close() }()
	file := filepath.Join(t.TempDir(), fileName)
	run := func(list ...backend) error {
		_, err := save(file, list)
		check(t, err)
		return Run(t.Context(), file, slog.New(slog.DiscardHandler))
	}
	free := backend{Service: "free", Listen: "127.14.3.201:0", Scheme: "http"}
	if err := run(free, backend{Service: "busy", Listen: taken.Addr().String(), Scheme: "http"}); err == nil || !strings.Contains(err.Error(), "stand-in busy") {
		t.Errorf("taken port: got %v", err)
	}
	if err := run(free, backend{Service: "bare", Listen: "127.14.3.201:0", Scheme: "https", Certificate: "/nonexistent"}); err == nil || !strings.Contains(err.Error(), "stand-in bare") {
		t.Errorf("no certificate: got %v", err)
	}
	if err := Run(t.Context(), file+"x", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no file: got no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = save(file, nil)
	check(t, err)
	if err := Run(ctx, file, slog.New(slog.DiscardHandler)); err != nil || ctx.Err() == nil {
		t.Errorf("empty list: got %v before its end", err)
	}
}
