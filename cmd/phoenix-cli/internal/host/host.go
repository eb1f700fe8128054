package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// Bus is the message bus that the host holds, or a stand-in for one that is
// elsewhere.
type Bus interface {
	// Start returns when the bus answers. It is not called again.
	Start(ctx context.Context) error
	// URL is where the bus answers, once started.
	URL() string
	// Close ends the bus and returns when it has ended. It is called once if
	// Start was called, whatever came of it.
	Close() error
}

// Options is what a host needs.
type Options struct {
	// Home is the home to be the host of, opened.
	Home *home.Home
	// Version is that of this program.
	Version string
	// Bus is started before any unit and closed after all have ended.
	Bus Bus
	// Units are defined and started as soon as the bus answers.
	Units []unit.Unit
	// Getenv reads the environment, of which units get PATH and HOME.
	Getenv func(string) string
	Log    *slog.Logger
}

// Run is the host of a home until ctx ends or somebody asks it to shut down;
// both mean that all units and then the bus are stopped. It returns a
// [home.LockedError] when the home has a host already, and an error when the bus
// cannot be started; units that an earlier host left running are left alone
// then.
//
// Run becomes the reaper of its process: nothing else in it may wait for
// children.
func Run(ctx context.Context, o Options) error {
	lock, err := takeLock(ctx, o.Home)
	if err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	defer func() { _ = lock.Release() }()
	if err := process.BecomeSubreaper(); err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	m, err := newMachine(o.Home, o.Getenv, o.Log)
	if err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	s := newSupervisor(m)
	defer s.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &host{supervisor: s, options: o, started: time.Now(), quit: cancel, stopped: make(chan struct{})}
	return h.run(ctx)
}

// host is the supervisor and what surrounds it: socket, bus and upkeep.
type host struct {
	*supervisor
	options Options
	started time.Time
	// quit asks the host to end.
	quit context.CancelFunc
	// stopped is closed when units and bus have ended; stopErr is set before.
	stopped chan struct{}
	stopErr error

	mu       sync.Mutex
	bus      string
	ready    bool
	warnings []string
}

var _ unit.Host = (*host)(nil)

// run serves the socket while the host works.
func (h *host) run(ctx context.Context) error {
	l, err := unit.Listen(h.options.Home.Socket())
	if err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	srv := &http.Server{Handler: unit.NewHandler(h, h.options.Log), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- h.serve(srv, l) }()
	h.stopErr = h.work(ctx)
	close(h.stopped)
	h.supervisor.cancel() // ends verbs that still wait
	_ = srv.Shutdown(context.WithoutCancel(ctx))
	return errors.Join(h.stopErr, <-served)
}

// serve answers on the socket. Without it the host is of no use, so it ends.
func (h *host) serve(srv *http.Server, l net.Listener) error {
	err := srv.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	h.quit()
	return fmt.Errorf("serve socket: %w", err)
}

// work holds the bus and the units until ctx ends.
func (h *host) work(ctx context.Context) error {
	err := h.options.Bus.Start(ctx)
	switch {
	case ctx.Err() != nil: // asked to end before it was up
		err = h.leaveNothing(ctx)
	case err != nil:
		err = fmt.Errorf("start bus: %w", err)
	default:
		err = h.keep(ctx)
	}
	if closed := h.options.Bus.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("stop bus: %w", closed))
	}
	return err
}

// keep keeps the units until ctx ends, and then stops them.
func (h *host) keep(ctx context.Context) error {
	if err := h.restore(context.WithoutCancel(ctx), true); err != nil {
		return err
	}
	for _, u := range h.options.Units {
		if err := h.bringUp(ctx, u); err != nil {
			h.options.Log.Error("unit not started", "unit", u.Name, "error", err)
		}
	}
	h.setReady(true)
	h.options.Log.Info("host is ready", "home", h.options.Home.Root, "pid", os.Getpid(), "after", time.Since(h.started))
	h.upkeep(ctx)
	h.setReady(false)
	h.options.Log.Info("host is ending")
	return h.shutdown(context.WithoutCancel(ctx))
}

// leaveNothing ends what an earlier host left, before this one was up.
func (h *host) leaveNothing(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if err := h.restore(ctx, false); err != nil {
		return err
	}
	return h.shutdown(ctx)
}

// bringUp defines and starts a unit.
func (h *host) bringUp(ctx context.Context, u unit.Unit) error {
	if _, err := h.Define(ctx, u); err != nil {
		return err
	}
	return h.Start(ctx, u.Name)
}

func (h *host) setReady(ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bus, h.ready = h.options.Bus.URL(), ready
}

// Info implements unit.Host.
func (h *host) Info(context.Context) (unit.Info, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return unit.Info{
		PID: os.Getpid(), Version: h.options.Version,
		Home: h.options.Home.Root, HomeID: h.options.Home.ID,
		Started: h.started, Bus: h.bus, Ready: h.ready, Warnings: h.warnings,
	}, nil
}

// Shutdown implements unit.Host.
func (h *host) Shutdown(ctx context.Context) error {
	h.quit()
	select {
	case <-h.stopped:
		return h.stopErr
	case <-ctx.Done():
		return fmt.Errorf("wait for the host's end: %w", ctx.Err())
	}
}
