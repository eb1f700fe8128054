package unit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fakeHost answers every verb with err and remembers what was asked.
type fakeHost struct {
	err    error
	asked  []string
	unit   Unit
	status Status
	// during runs inside a verb, with its context.
	during func(ctx context.Context)
}

func (f *fakeHost) do(ctx context.Context, verb, name string) error {
	f.asked = append(f.asked, verb+" "+name)
	if f.during != nil {
		f.during(ctx)
	}
	return f.err
}

func (f *fakeHost) Define(ctx context.Context, u Unit) (bool, error) {
	f.unit = u
	return true, f.do(ctx, "define", u.Name)
}
func (f *fakeHost) Start(ctx context.Context, name string) error   { return f.do(ctx, "start", name) }
func (f *fakeHost) Stop(ctx context.Context, name string) error    { return f.do(ctx, "stop", name) }
func (f *fakeHost) Restart(ctx context.Context, name string) error { return f.do(ctx, "restart", name) }
func (f *fakeHost) Reload(ctx context.Context, name string) error  { return f.do(ctx, "reload", name) }
func (f *fakeHost) Remove(ctx context.Context, name string) error  { return f.do(ctx, "remove", name) }
func (f *fakeHost) Shutdown(ctx context.Context) error             { return f.do(ctx, "shutdown", "") }
func (f *fakeHost) Info(context.Context) (Info, error) {
	return Info{PID: 7, Home: "/h", Ready: true}, f.err
}
func (f *fakeHost) Status(context.Context, string) (Status, error) { return f.status, f.err }
func (f *fakeHost) List(context.Context) ([]Status, error)         { return []Status{f.status}, f.err }

// serve runs handler on a socket of its own and returns the client of it.
func serve(t *testing.T, handler http.Handler) *Client {
	t.Helper()
	return serveAt(t, filepath.Join(t.TempDir(), "host.sock"), handler)
}

func serveAt(t *testing.T, path string, handler http.Handler) *Client {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Shutdown(context.Background()); <-done })
	c, err := Dial("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientAsksEachVerb(t *testing.T) {
	host := &fakeHost{status: Status{Name: "a", State: Active, PID: 3, Since: time.Unix(5, 0).UTC(), Log: "/l"}}
	c := serve(t, NewHandler(host, slog.New(slog.DiscardHandler)))
	ctx := t.Context()
	u := Unit{Name: "a", Exec: []string{"/bin/a"}, Env: []string{"A=b"}, StopTimeout: time.Second, StopSignal: QUIT, Enabled: true}
	changed, err := c.Define(ctx, u)
	if err != nil || !changed || !reflect.DeepEqual(host.unit, u) {
		t.Fatalf("Define: got %v, %v, arrived %+v", changed, err, host.unit)
	}
	for _, verb := range []func(context.Context, string) error{c.Start, c.Stop, c.Restart, c.Reload, c.Remove} {
		if err := verb(ctx, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	want := []string{"define a", "start a", "stop a", "restart a", "reload a", "remove a", "shutdown "}
	if !reflect.DeepEqual(host.asked, want) {
		t.Errorf("asked: got %q, want %q", host.asked, want)
	}
	if s, err := c.Status(ctx, "a"); err != nil || s != host.status {
		t.Errorf("Status: got %+v, %v", s, err)
	}
	if list, err := c.List(ctx); err != nil || len(list) != 1 || list[0] != host.status {
		t.Errorf("List: got %+v, %v", list, err)
	}
	if i, err := c.Info(ctx); err != nil || i.PID != 7 || !i.Ready {
		t.Errorf("Info: got %+v, %v", i, err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	for _, kind := range []error{ErrNotFound, ErrInvalid, ErrInactive, ErrStart, ErrUnavailable} {
		host := &fakeHost{err: fmt.Errorf("start a: %w", kind)}
		c := serve(t, NewHandler(host, slog.New(slog.DiscardHandler)))
		err := c.Start(t.Context(), "a")
		if !errors.Is(err, kind) || err.Error() != host.err.Error() {
			t.Errorf("got %v, want %v", err, host.err)
		}
	}
	host := &fakeHost{err: errors.New("something else")}
	c := serve(t, NewHandler(host, slog.New(slog.DiscardHandler)))
	if err := c.Start(t.Context(), "a"); err == nil || err.Error() != "something else" {
		t.Errorf("got %v", err)
	}
}

func TestInvalidIsRefusedOnBothEnds(t *testing.T) {
	host := &fakeHost{}
	c := serve(t, NewHandler(host, slog.New(slog.DiscardHandler)))
	if _, err := c.Define(t.Context(), Unit{Name: "a"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("client: got %v, want ErrInvalid", err)
	}
	if err := c.Start(t.Context(), "../a"); !errors.Is(err, ErrInvalid) {
		t.Errorf("client: got %v, want ErrInvalid", err)
	}
	bodies := map[string]string{
		"/units/a":        `{"name":"a"}`,
		"/units/b":        `{"name":"a","exec":["/bin/a"]}`,
		"/units/c":        `{"name":`,
		"/units/d":        `{"name":"d","exec":"/bin/d"}`,
		"/units/A/start":  ``,
		"/units/a%2e%2e/": ``,
	}
	for path, body := range bodies {
		method := http.MethodPut
		if strings.HasSuffix(path, "/start") {
			method = http.MethodPost
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://host"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("%s %s: got %d, want 4xx", method, path, res.StatusCode)
		}
	}
	if len(host.asked) != 0 {
		t.Errorf("arrived: %q", host.asked)
	}
}

func TestVerbOutlivesItsClient(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan error, 1)
	host := &fakeHost{during: func(inner context.Context) {
		cancel()
		select {
		case <-inner.Done():
			seen <- inner.Err()
		case <-time.After(200 * time.Millisecond):
			seen <- nil
		}
	}}
	c := serve(t, NewHandler(host, slog.New(slog.DiscardHandler)))
	if err := c.Restart(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("client: got %v, want context.Canceled", err)
	}
	if err := <-seen; err != nil {
		t.Errorf("the verb's context ended with its client: %v", err)
	}
}

func TestNoHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.sock")
	c, err := Dial("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Info(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no socket: got %v, want ErrUnavailable", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Info(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("left socket: got %v, want ErrUnavailable", err)
	}
}

func TestForeignAnswer(t *testing.T) {
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("<html>"))
	}))
	if _, err := c.Info(t.Context()); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("got %v, want an error with 418", err)
	}
}

func TestSocketWithALongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 100), strings.Repeat("e", 100))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "host.sock")
	if err := os.WriteFile(path, []byte("left by somebody"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("socket after close: got %v, want ErrNotExist", err)
		}
	})
	c := serveAt(t, path, NewHandler(&fakeHost{}, slog.New(slog.DiscardHandler)))
	if i, err := c.Info(t.Context()); err != nil || i.PID != 7 {
		t.Errorf("Info: got %+v, %v", i, err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode: got %v, %v", info.Mode(), err)
	}
}

func TestDialRefusesOtherAddresses(t *testing.T) {
	for _, address := range []string{"", "unix:", "unix:relative.sock", "/run/host.sock", "tcp:127.0.0.1:1"} {
		if _, err := Dial(address); err == nil {
			t.Errorf("%q: got no error", address)
		}
	}
}
