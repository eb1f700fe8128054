// Phoenix-provisioner makes the containers of a stack, watches over the run
// that brings it up, and takes it down again.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/act"
	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver/local"
	"github.com/phoenix-platform/phoenix/services/provisioner/ledger"
	"github.com/phoenix-platform/phoenix/services/provisioner/reconcile"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func main() { os.Exit(service.Main(events.Provisioner, build)) }

// build wires the provisioner.
func build(ctx context.Context, rt *service.Runtime) ([]service.Worker, error) {
	d, err := newDriver(rt.Config)
	if err != nil {
		return nil, err
	}
	rt.Health.Check("driver", func(ctx context.Context) error {
		_, err := d.List(ctx, rt.Config.Stack)
		return err
	})
	world, err := newWorld(rt, d)
	if err != nil {
		return nil, err
	}
	return workers(ctx, rt, world, reconcile.DefaultPace())
}

// workers makes the handlers and the reconcilers that they wake.
func workers(ctx context.Context, rt *service.Runtime, world *act.World, pace reconcile.Pace) ([]service.Worker, error) {
	book := ledger.New(rt.Bus.Bucket(events.BucketProvisioner), saga.Rules{})
	stacks := reconcile.NewStacks(func(stack string) *reconcile.Reconciler {
		return reconcile.New(stack, book, world, pace, rt.Log)
	})
	known, err := book.Stacks(ctx)
	if err != nil {
		return nil, err
	}
	for _, stack := range known {
		stacks.Wake(stack)
	}
	h := &handlers{ledger: book, stacks: stacks, configured: rt.Bus.Bucket(events.BucketStacks), log: rt.Log}
	return []service.Worker{
		stacks,
		events.On(rt.Bus, h.stackRequested),
		events.On(rt.Bus, h.containerRequested),
		events.On(rt.Bus, h.caReady),
		events.On(rt.Bus, h.proxyReady),
		events.On(rt.Bus, h.gatewayReady),
	}, nil
}

// newDriver returns the driver that the configuration names.
func newDriver(c service.Config) (driver.Driver, error) {
	if c.Provisioner.Driver != config.DriverLocal {
		return nil, fmt.Errorf("driver %q is not known; there is: %s", c.Provisioner.Driver, config.DriverLocal)
	}
	host, err := unit.Dial(c.Units)
	if err != nil {
		return nil, err
	}
	return local.New(c.Provisioner.Containers, c.Provisioner.Addresses, host)
}

func newWorld(rt *service.Runtime, d driver.Driver) (*act.World, error) {
	p := rt.Config.Provisioner
	programs, err := programs(p.Programs)
	if err != nil {
		return nil, err
	}
	return &act.World{
		Driver: d,
		Site: blueprint.Site{
			Addresses: p.Addresses, Driver: p.Driver, Bus: rt.Config.Bus.URL, Units: rt.Config.Units,
			Programs: programs, Traefik: p.Traefik, Nginx: p.Nginx, Env: telemetry(os.Environ()), Root: d.Root,
		},
		Bus: rt.Bus, Stacks: rt.Bus.Bucket(events.BucketStacks), Own: rt.Bus.Bucket(events.BucketProvisioner),
		Registry: rt.Bus.Bucket(events.BucketProxyconf), Probes: act.RealProbes(), Identities: p.Identities, BusCA: rt.Config.Bus.CA, Log: rt.Log,
	}, nil
}

// programs returns the folder of the services' programs: the configured one, or
// that of this program.
func programs(configured string) (string, error) {
	if configured != "" {
		return configured, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the folder of the programs: %w", err)
	}
	return filepath.Dir(self), nil
}

// telemetry picks what OpenTelemetry is configured by, for the services too.
func telemetry(environ []string) []string {
	var out []string
	for _, entry := range environ {
		if strings.HasPrefix(entry, "OTEL_") && !strings.HasPrefix(entry, "OTEL_EXPORTER_OTLP_HEADERS") {
			out = append(out, entry)
		}
	}
	return out
}
