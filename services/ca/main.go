// Command phoenix-ca runs the stack's certificate authority, step-ca, and tells
// the bus of it: that it serves, and of every certificate that it signs.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/claims"
	"github.com/phoenix-platform/phoenix/services/ca/serve"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func main() { os.Exit(service.Main(events.CA, build)) }

// build wires the service.
func build(ctx context.Context, rt *service.Runtime) ([]service.Worker, error) {
	site, err := siteOf(rt.Config)
	if err != nil {
		return nil, err
	}
	b, err := openBook(ctx, rt, site.registry)
	if err != nil {
		return nil, err
	}
	options := site.authority
	options.Claims = claims.New(site.claims, b, claims.DefaultPatience())
	options.Network = serve.Network{Book: b}
	issued := serve.NewIssued(rt.Bus, b, rt.Log, rt.Metrics)
	authority := serve.NewAuthority(options, b, issued, rt.Bus, rt.Log)
	rt.Health.Check("ca", authority.Healthy)
	h := &handlers{
		stack: rt.Config.Stack, address: rt.Config.Address, book: b,
		signer: authority, issued: issued, speaker: rt.Bus, log: rt.Log,
	}
	return []service.Worker{
		events.On(rt.Bus, h.containerReady),
		events.On(rt.Bus, h.serviceRegistered),
		events.On(rt.Bus, h.serviceRemoved),
		events.On(rt.Bus, h.certRequested),
		issued,
		authority,
	}, nil
}

// handlers answer events: each judges its message and records it. What follows
// is the reconciler's, but for signing: that needs nobody else.
type handlers struct {
	stack   string
	address string // of the CA's own container
	book    *book.Book
	signer  signer
	issued  teller
	speaker serve.Speaker
	log     *slog.Logger
}

// signer signs what is asked for over the bus.
type signer interface {
	Sign(ctx context.Context, ask stepca.Ask) (stepca.Certificate, error)
}

// teller says cert.issued.
type teller interface {
	Say(ctx context.Context, c stepca.Certificate) error
}
