// Command phoenix-proxyconf commands Traefik: it has it serve every registered
// service with a certificate of its own, and hands the gateway its certificates.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/proxyconf/backend"
	"github.com/phoenix-platform/phoenix/services/proxyconf/serve"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == serve.LaunchCommand {
		os.Exit(launch(os.Args[2:]))
	}
	os.Exit(service.Main(events.Proxyconf, build))
}

// launch becomes Traefik.
func launch(args []string) int {
	l, err := serve.ParseLaunch(args, os.Stderr)
	if err != nil {
		return 2
	}
	if err := l.Exec(slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "phoenix-proxyconf:", err)
	}
	return 1
}

// build wires the service.
func build(ctx context.Context, rt *service.Runtime) ([]service.Worker, error) {
	set, err := setupOf(rt.Config)
	if err != nil {
		return nil, err
	}
	units, err := unit.Dial(rt.Config.Units)
	if err != nil {
		return nil, fmt.Errorf("reach the units: %w", err)
	}
	return assemble(ctx, rt, set, units)
}

// assemble makes the reconcilers and the handlers that wake them.
func assemble(ctx context.Context, rt *service.Runtime, set setup, units serve.Units) ([]service.Worker, error) {
	folder := traefik.Folder(filepath.Join(rt.Config.State, "traefik"))
	if err := folder.Prepare(); err != nil {
		return nil, err
	}
	known, err := openBook(ctx, rt, set.rules)
	if err != nil {
		return nil, err
	}
	client := traefik.NewClient(rt.Config.Proxy.API)
	backends := serve.NewBackends(known, backend.Checker{Policy: set.rules.Backends}, rt.Log)
	orders := serve.NewOrders()
	routes := serve.NewRoutes(set.site, known, folder, client, backends, orders, rt.Bus, rt.Log)
	life := serve.NewLife(set.site, known, folder, client, units, routes, rt.Log)
	certificates := serve.NewCertificates(set.site, known, folder, routes, orders, units, rt.Log)
	life.Notify(certificates.Doubt)
	handover := serve.NewHandover(set.site, known, certificates, rt.Bus, set.own, rt.Log)
	states := serve.NewStates(set.site, known, backends, routes, certificates, rt.Bus, serve.NewMetrics(rt.Metrics), rt.Log)
	rt.Health.Check("traefik", life.Healthy)
	workers := []service.Worker{life, backends, routes, certificates, handover, states}
	h := &handlers{stack: rt.Config.Stack, domain: rt.Config.Domain, curve: set.public, book: known, log: rt.Log}
	return append(workers, h.workers(rt.Bus)...), nil
}
