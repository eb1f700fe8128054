package probe

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers /healthz and / with 200, everything else with 404. Its
// certificate is its own root, for example.com.
func server(t *testing.T, secure bool) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	s := httptest.NewUnstartedServer(mux)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func endpoint(s *httptest.Server) Endpoint {
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return Endpoint{Dial: s.Listener.Addr().String(), Name: "example.com", Root: string(root)}
}

func TestAlive(t *testing.T) {
	s := server(t, false)
	if err := Alive(t.Context(), s.Listener.Addr().String()); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := Alive(t.Context(), s.Listener.Addr().String()); err == nil {
		t.Error("a closed server is alive")
	}
}

func TestHTTPSVerifies(t *testing.T) {
	s, other := server(t, true), otherRoot
	good := endpoint(s)
	tests := []struct {
		name   string
		change func(*Endpoint)
		url    string
		want   string
	}{
		{"good", func(*Endpoint) {}, "https://example.com/", ""},
		{"another name", func(e *Endpoint) { e.Name = "evil.test" }, "https://evil.test/", "not evil.test"},
		{"another root", func(e *Endpoint) { e.Root = other }, "https://example.com/", "unknown authority"},
		{"no root", func(e *Endpoint) { e.Root = "" }, "https://example.com/", "not a PEM certificate"},
		{"another answer", func(*Endpoint) {}, "https://example.com/nothing", "404"},
		{"redirect", func(*Endpoint) {}, "https://example.com/elsewhere", "302"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := good
			tt.change(&e)
			check(t, HTTPS(t.Context(), e, tt.url), tt.want)
		})
	}
}

func TestHandshakeVerifies(t *testing.T) {
	e := endpoint(server(t, true))
	check(t, Handshake(t.Context(), e), "")
	e.Name = "evil.test"
	check(t, Handshake(t.Context(), e), "not evil.test")
}

func TestLooksEnd(t *testing.T) {
	block := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(block) })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := Alive(ctx, s.Listener.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestRoot(t *testing.T) {
	if _, err := Root(otherRoot); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"empty": "", "two": otherRoot + otherRoot, "other type": strings.ReplaceAll(otherRoot, "CERTIFICATE", "PRIVATE KEY"),
		"broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		if _, err := Root(text); err == nil {
			t.Errorf("%s: taken for a root certificate", name)
		}
	}
}

// check wants an error that contains want, or none when that is empty.
func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want an error with %q", err, want)
	}
}

// otherRoot is a CA certificate that nothing here was signed with.
const otherRoot = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUeLCP3wWGDCuFB70lo8HnP1LMytAwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMQW5vdGhlciByb290MCAXDTI2MTEyNDAyNDMxMloYDzIxMjYx
MDMxMDI0MzEyWjAXMRUwEwYDVQQDDAxBbm90aGVyIHJvb3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQM14a7l/qWGiVQ4dS0Wkr4HrIpXzWHPV9BGF1dVbiiPq2P
VEc+mTPcYikUUos7rimgwm9ZWse8dMe6q2ug96jyo1MwUTAdBgNVHQ4EFgQUCY57
d7/ScapAuHhmDbfDjpDq25YwHwYDVR0jBBgwFoAUCY57d7/ScapAuHhmDbfDjpDq
25YwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAhg3V9+9kgjOZ
SbSZFG2qSYEbAqYZsC2R4jcqebzNwmICIAc7KKAxUWSriSEdoIA+zBHZdbv33/iX
eN2bztU2B63z
-----END CERTIFICATE-----
`
