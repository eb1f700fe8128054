// Command phoenix-gateway runs the stack's only entry from outside: it has
// nginx serve every host with a certificate of its own, and pass what comes to
// Traefik.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/serve"
)

func main() { os.Exit(service.Main(events.Gateway, build)) }

// build wires the service.
func build(ctx context.Context, rt *service.Runtime) ([]service.Worker, error) {
	site, err := siteOf(rt.Config)
	if err != nil {
		return nil, err
	}
	own, public, err := readCurve(rt.Config.Curve)
	if err != nil {
		return nil, err
	}
	units, err := unit.Dial(rt.Config.Units)
	if err != nil {
		return nil, fmt.Errorf("reach the units: %w", err)
	}
	prefix := filepath.Join(rt.Config.State, "nginx")
	server, err := nginx.NewServer(prefix, rt.Config.Gateway.Nginx, rt.Config.Gateway.NginxUnit, units)
	if err != nil {
		return nil, err
	}
	pairs, err := nginx.OpenPairs(prefix, site.Domain)
	if err != nil {
		return nil, err
	}
	book, err := openLedger(ctx, rt)
	if err != nil {
		return nil, err
	}
	report := serve.NewReporter(rt.Bus, rt.Log)
	reconciler := serve.New(serve.Options{
		Site: site, Own: own, Ledger: book, Nginx: server, Pairs: pairs, Bus: rt.Bus,
		Report: report, Log: rt.Log, Tracer: rt.Tracer, Metrics: rt.Metrics,
	})
	rt.Health.Check("nginx", reconciler.Healthy)
	h := &handlers{stack: rt.Config.Stack, site: site, curve: public, ledger: book, log: rt.Log}
	return []service.Worker{
		events.On(rt.Bus, h.containerReady),
		events.On(rt.Bus, h.caReady),
		events.On(rt.Bus, h.proxyReady),
		events.On(rt.Bus, h.gatewayCertificate),
		report,
		reconciler,
	}, nil
}
