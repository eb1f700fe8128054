package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/cli"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/pkg/version"
)

// block is the block of addresses of all stages; they run one after the other.
const block = "127.18.1"

// stage is a home with a real bus and a host that only remembers its units.
// The services are played by the test.
type stage struct {
	t    *testing.T
	home *home.Home
	bus  *bus.Server
	host *fakeHost
	env  map[string]string
}

// newStage sets up a home in which a host runs.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := emptyStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var err error
	s.bus, err = bus.Start(ctx, bus.Options{
		Folder: site.BusFolder(s.home), Listen: block + ".100:0", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.bus.Close)
	s.serve()
	return s
}

// emptyStage is a home in which nothing runs, on a machine that has all
// programs.
func emptyStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, host: &fakeHost{units: map[string]unit.Unit{}}}
	var err error
	if s.home, err = home.Open(filepath.Join(t.TempDir(), "home"), block); err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	for _, id := range events.Services() {
		s.program(filepath.Join(programs, "phoenix-"+string(id)), "exit 0")
	}
	s.program(filepath.Join(programs, "traefik"), "echo 'Version:      3.6.12'")
	s.program(filepath.Join(programs, "nginx"), "echo 'nginx version: nginx/1.22.1' >&2")
	s.env = map[string]string{
		"PHOENIX_HOME": s.home.Root, "PHOENIX_PROGRAMS": programs, "PHOENIX_ADDRESSES": block,
		"PHOENIX_TRAEFIK": filepath.Join(programs, "traefik"), "PHOENIX_NGINX": filepath.Join(programs, "nginx"),
	}
	return s
}

func (s *stage) program(path, script string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// serve answers on the host's socket until the test ends or the host is shut
// down.
func (s *stage) serve() {
	s.t.Helper()
	if err := os.MkdirAll(s.home.Host(), 0o700); err != nil {
		s.t.Fatal(err)
	}
	l, err := unit.Listen(s.home.Socket())
	if err != nil {
		s.t.Fatal(err)
	}
	s.host.info = unit.Info{PID: os.Getpid(), Version: version.String(), Home: s.home.Root, Bus: s.bus.URL(), Ready: true}
	srv := &http.Server{Handler: unit.NewHandler(s.host, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	s.host.shutdown = func() { go func() { _ = srv.Close() }() }
	s.t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.t.Error(err)
		}
	})
}

// as connects as one of the identities.
func (s *stage) as(id events.Identity) *events.Bus {
	s.t.Helper()
	folder := site.BusFolder(s.home)
	b, err := events.Connect(s.t.Context(), events.Options{URL: s.bus.URL(), Identity: id, SeedFile: folder.Seed(id), CAFile: folder.CA()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.Close)
	return b
}

// eventually asks until ok, or fails the test.
func (s *stage) eventually(what string, ok func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("not in time: %s", what)
		}
	}
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run executes a command in this home.
func (s *stage) run(args ...string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	return s.runContext(ctx, args...)
}

func (s *stage) runContext(ctx context.Context, args ...string) result {
	var stdout, stderr safeBuffer
	code := cli.Run(ctx, args, s.world(&stdout, &stderr))
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// runTo executes a command whose output, all of it, can be read meanwhile.
func (s *stage) runTo(ctx context.Context, out io.Writer, args ...string) result {
	return result{code: cli.Run(ctx, args, s.world(out, out))}
}

func (s *stage) world(stdout, stderr io.Writer) cli.World {
	return cli.World{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr,
		Getenv: func(k string) string { return s.env[k] }, Environ: func() []string { return nil },
	}
}

// want fails the test unless the command ended so, and said these words.
func (r result) want(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, w := range words {
		if !strings.Contains(r.stdout+r.stderr, w) {
			t.Errorf("%q was not said", w)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%sstderr:\n%s", r.stdout, r.stderr)
	}
}

// safeBuffer may be written from several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// fakeHost remembers its units and runs none.
type fakeHost struct {
	info     unit.Info
	shutdown func()

	mu    sync.Mutex
	units map[string]unit.Unit
}

var _ unit.Host = (*fakeHost)(nil)

func (h *fakeHost) Define(_ context.Context, u unit.Unit) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.units[u.Name] = u
	return true, nil
}

func (h *fakeHost) Start(context.Context, string) error   { return nil }
func (h *fakeHost) Stop(context.Context, string) error    { return nil }
func (h *fakeHost) Restart(context.Context, string) error { return nil }
func (h *fakeHost) Reload(context.Context, string) error  { return nil }

func (h *fakeHost) Remove(_ context.Context, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.units, name)
	return nil
}

func (h *fakeHost) has(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.units[name]
	return ok
}

func (h *fakeHost) Status(context.Context, string) (unit.Status, error) { return unit.Status{}, nil }
func (h *fakeHost) List(context.Context) ([]unit.Status, error)         { return []unit.Status{}, nil }
func (h *fakeHost) Info(context.Context) (unit.Info, error)             { return h.info, nil }

func (h *fakeHost) Shutdown(context.Context) error {
	h.shutdown()
	return nil
}
