package site

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host"
	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// The port of the bus and the last octet of its address.
const (
	busPort = 4222
	busID   = 100
)

// BusFolder is where the bus of a home keeps its files.
func BusFolder(h *home.Home) bus.Folder { return bus.Folder(filepath.Join(h.Root, "bus")) }

// Bus returns the bus of a stack: one inside the host, or the external one that
// the configuration names.
func Bus(h *home.Home, stack config.Stack, log *slog.Logger) (host.Bus, error) {
	names := []string{"bus." + stack.Domain}
	o := bus.Options{Folder: BusFolder(h), Names: names, Log: log}
	if stack.Bus.URL == "" {
		o.Listen = net.JoinHostPort(h.Address(busID), strconv.Itoa(busPort))
		return &embedded{options: o}, nil
	}
	u, err := url.Parse(stack.Bus.URL)
	if err != nil {
		return nil, fmt.Errorf("address of the bus: %w", err)
	}
	o.Listen = u.Host
	if net.ParseIP(u.Hostname()) == nil {
		o.Names = append(o.Names, u.Hostname())
		o.Listen = net.JoinHostPort("0.0.0.0", u.Port())
	}
	return &external{options: o, url: stack.Bus.URL}, nil
}

// embedded is a bus inside the host.
type embedded struct {
	options bus.Options
	server  *bus.Server
}

// Start implements host.Bus.
func (b *embedded) Start(ctx context.Context) (err error) {
	b.server, err = bus.Start(ctx, b.options)
	return err
}

// URL implements host.Bus.
func (b *embedded) URL() string { return b.server.URL() }

// Close implements host.Bus.
func (b *embedded) Close() error {
	if b.server != nil {
		b.server.Close()
	}
	return nil
}

// external is a bus that somebody else runs, with the identities and the
// configuration that lie in the home.
type external struct {
	options bus.Options
	url     string
}

// Start implements host.Bus. It waits for the bus until ctx ends.
func (b *external) Start(ctx context.Context) error {
	if err := bus.Prepare(b.options); err != nil {
		return err
	}
	b.options.Log.Info("waiting for the external bus", "url", b.url, "configuration", b.options.Folder.Config())
	return bus.Provision(ctx, b.url, b.options.Folder, b.options.Log)
}

// URL implements host.Bus.
func (b *external) URL() string { return b.url }

// Close implements host.Bus.
func (b *external) Close() error { return nil }

// Seed is the file of an identity's nkey seed.
func Seed(h *home.Home, id events.Identity) string { return BusFolder(h).Seed(id) }
