package site

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// portHealth is the port of every service's health and metrics.
const portHealth = 9090

// ProvisionerUnit is the name of the unit that runs the provisioner.
const ProvisionerUnit = "provisioner"

// Provisioner writes the provisioner's configuration into the home and returns
// the unit that runs it.
func Provisioner(h *home.Home, stack config.Stack, p Programs, environ []string) (unit.Unit, error) {
	folder := filepath.Join(h.Root, "provisioner")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return unit.Unit{}, fmt.Errorf("make the provisioner's folder: %w", err)
	}
	raw, err := provisionerConfig(h, stack, p, folder).Marshal()
	if err != nil {
		return unit.Unit{}, err
	}
	path := filepath.Join(folder, "service.yaml")
	if err := renameio.WriteFile(path, raw, 0o600); err != nil {
		return unit.Unit{}, fmt.Errorf("write the provisioner's configuration: %w", err)
	}
	digest, err := unit.Digest(p.Program(events.Provisioner))
	if err != nil {
		return unit.Unit{}, err
	}
	return unit.Unit{
		Name: ProvisionerUnit, Exec: []string{p.Program(events.Provisioner), "--config", path},
		Env: telemetry(environ), Dir: folder, Digest: digest, Enabled: true,
	}, nil
}

func provisionerConfig(h *home.Home, stack config.Stack, p Programs, folder string) service.Config {
	address := h.Address(busID)
	url := stack.Bus.URL
	if url == "" {
		url = "tls://" + net.JoinHostPort(address, strconv.Itoa(busPort))
	}
	return service.Config{
		Stack: stack.Stack, Domain: stack.Domain, Address: address,
		Health: net.JoinHostPort(address, strconv.Itoa(portHealth)), State: folder,
		Bus:   service.BusConfig{URL: url, CA: BusFolder(h).CA(), Identity: Seed(h, events.Provisioner)},
		Units: "unix:" + h.Socket(),
		Log:   service.LogConfig{Level: stack.Log.Level, Format: stack.Log.Format},
		Provisioner: &service.ProvisionerConfig{
			Home: h.Root, Driver: stack.Driver, Addresses: h.Addresses, Containers: h.Containers(),
			Identities: BusFolder(h).Identities(), Programs: p.Folder, Traefik: p.Traefik.Path, Nginx: p.Nginx.Path,
		},
	}
}

// telemetry picks the variables that say where traces and metrics go.
func telemetry(environ []string) []string {
	var out []string
	for _, e := range environ {
		if strings.HasPrefix(e, "OTEL_") {
			out = append(out, e)
		}
	}
	return out
}
