// Package bustest starts a real bus for tests: the embedded server with the
// contract's accounts, streams, consumers and buckets, on loopback.
package bustest

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Server is a bus that ends with the test.
type Server struct {
	Folder bus.Folder
	listen string
	server *bus.Server
}

// Start runs a bus in a temporary folder.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{Folder: bus.Folder(t.TempDir())}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	s.listen = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	s.start(t)
	t.Cleanup(func() { s.server.Close() })
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := bus.Start(ctx, bus.Options{
		Folder: s.Folder, Listen: s.listen, Names: []string{"bus.phoenix.localhost"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("start the bus: %v", err)
	}
	s.server = server
}

// URL is where clients connect.
func (s *Server) URL() string { return s.server.URL() }

// Restart stops the bus and starts it again on the same files and address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.server.Close()
	s.start(t)
}

// Connect opens a connection as id that ends with the test.
func (s *Server) Connect(t testing.TB, id events.Identity) *events.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := events.Connect(ctx, events.Options{URL: s.URL(), Identity: id, SeedFile: s.Folder.Seed(id), CAFile: s.Folder.CA(), Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatalf("connect as %s: %v", id, err)
	}
	t.Cleanup(b.Close)
	return b
}

// Run runs workers until the test ends, and fails it when one returns an error.
func Run(t testing.TB, workers ...events.Worker) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, len(workers))
	for _, w := range workers {
		go func() { done <- w.Run(ctx) }()
	}
	t.Cleanup(func() {
		cancel()
		for range workers {
			if err := <-done; err != nil {
				t.Errorf("worker: %v", err)
			}
		}
	})
}
