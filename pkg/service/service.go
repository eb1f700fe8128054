package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/version"
)

// Worker runs until ctx ends. An error ends the service, and whoever runs the
// unit starts it again.
type Worker interface {
	Run(ctx context.Context) error
}

// WorkerFunc is a function that is a Worker.
type WorkerFunc func(ctx context.Context) error

// Run implements Worker.
func (f WorkerFunc) Run(ctx context.Context) error { return f(ctx) }

// Runtime is what a service is given.
type Runtime struct {
	Config  Config
	Bus     *events.Bus
	Log     *slog.Logger
	Health  *Health
	Metrics prometheus.Registerer
	Tracer  trace.Tracer
}

// Build makes the workers of a service.
type Build func(ctx context.Context, rt *Runtime) ([]Worker, error)

// Main runs a service until a signal and returns the exit code: 0 after a
// signal, 1 after a failure, 2 for wrong use or wrong configuration.
func Main(id events.Identity, build Build) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := Run(ctx, id, os.Args[1:], os.Stderr, build)
	var usage *usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "phoenix-%s: %v\n", id, err)
		return 2
	default:
		fmt.Fprintf(os.Stderr, "phoenix-%s: %v\n", id, err)
		return 1
	}
}

type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Run is Main with its world given. It returns nil when ctx ends.
func Run(ctx context.Context, id events.Identity, args []string, stderr io.Writer, build Build) error {
	config, err := configure(id, args, stderr)
	if err != nil {
		return err
	}
	log, err := newLog(stderr, config.Log, id)
	if err != nil {
		return &usageError{err}
	}
	tracing, err := newTracing(ctx, id, config.Stack)
	if err != nil {
		return err
	}
	defer tracing.close(log)
	metrics := newMetrics()
	health := NewHealth()
	bus, err := events.Connect(ctx, events.Options{
		URL: config.Bus.URL, Identity: id, SeedFile: config.Bus.Identity, CAFile: config.Bus.CA,
		Source: "/" + config.Stack + "/" + string(id), Log: log, Tracer: tracing.tracer, Observe: metrics.observe,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer bus.Close()
	health.Check("bus", bus.Healthy)
	rt := &Runtime{Config: config, Bus: bus, Log: log, Health: health, Metrics: metrics.registry, Tracer: tracing.tracer}
	workers, err := build(ctx, rt)
	if err != nil {
		return err
	}
	log.Info("started", "version", version.String(), "stack", config.Stack, "address", config.Address)
	return runAll(ctx, append(workers, replays(bus, workers), newHealthServer(config.Health, health, metrics.registry)))
}

// replays answers wishes to replay for those workers that handle events.
func replays(bus *events.Bus, workers []Worker) Worker {
	handlers := make([]events.Worker, 0, len(workers))
	for _, w := range workers {
		handlers = append(handlers, w)
	}
	return events.Replays(bus, handlers...)
}

// runAll runs all workers; the first to fail stops the rest.
func runAll(ctx context.Context, workers []Worker) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range workers {
		group.Go(func() error { return w.Run(ctx) })
	}
	return group.Wait()
}

func configure(id events.Identity, args []string, stderr io.Writer) (Config, error) {
	flags := flag.NewFlagSet("phoenix-"+string(id), flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("config", "/etc/phoenix/service.yaml", "configuration `file`")
	show := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return Config{}, err
		}
		return Config{}, &usageError{err}
	}
	if *show {
		_, err := fmt.Fprintln(stderr, version.String())
		return Config{}, errors.Join(flag.ErrHelp, err)
	}
	config, err := Load(*path)
	if err != nil {
		return Config{}, &usageError{err}
	}
	if err := config.Validate(id); err != nil {
		return Config{}, &usageError{fmt.Errorf("configuration %s: %w", *path, err)}
	}
	return config, nil
}
