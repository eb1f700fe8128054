package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health collects what a service needs to be ready.
type Health struct {
	mu     sync.Mutex
	checks map[string]func(context.Context) error
}

// NewHealth returns a Health without checks: alive and ready.
func NewHealth() *Health { return &Health{checks: map[string]func(context.Context) error{}} }

// Check adds a check under name; a later one of that name replaces it. It is
// called at each question and bounded to two seconds.
func (h *Health) Check(name string, check func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks[name] = check
}

// Report runs all checks: name → "ok" or what is wrong.
func (h *Health) Report(ctx context.Context) (report map[string]string, ready bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	h.mu.Lock()
	checks := maps.Clone(h.checks)
	h.mu.Unlock()
	report, ready = map[string]string{}, true
	for name, c := range checks {
		report[name] = "ok"
		if err := c(ctx); err != nil {
			report[name], ready = err.Error(), false
		}
	}
	return report, ready
}

// healthServer answers /healthz (alive), /readyz (every check, 503 when one
// fails) and /metrics.
type healthServer struct {
	address string
	handler http.Handler
}

func newHealthServer(address string, h *Health, registry *prometheus.Registry) Worker {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		report, ready := h.Report(r.Context())
		w.Header().Set("Content-Type", "application/json")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(report)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	return &healthServer{address: address, handler: mux}
}

// Run implements Worker.
func (s *healthServer) Run(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("health address %s is taken by another process: %w", s.address, err)
	}
	if err != nil {
		return fmt.Errorf("listen on the health address: %w", err)
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health: %w", err)
	}
	return nil
}
