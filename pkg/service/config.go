package service

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// maxConfig is the largest configuration file that is read, in bytes.
const maxConfig = 1 << 20

// Config is what the provisioner writes into a container for the service
// inside. The part named after the service is set, the others are not. All
// paths are absolute. A field added later is safe when absent.
type Config struct {
	Stack   string    `yaml:"stack"`
	Domain  string    `yaml:"domain"`
	Address string    `yaml:"address"` // IP address of the container
	Health  string    `yaml:"health"`  // host:port of health, readiness and metrics
	State   string    `yaml:"state"`   // folder of the service's own files
	Bus     BusConfig `yaml:"bus"`
	// Curve is the file of the container's private curve key (nkeys xkey seed).
	Curve string `yaml:"curve,omitempty"`
	// Units says who runs the units of this container: "unix:<socket>".
	Units string    `yaml:"units,omitempty"`
	Log   LogConfig `yaml:"log,omitempty"`

	CA          *CAConfig          `yaml:"ca,omitempty"`
	Proxy       *ProxyConfig       `yaml:"proxy,omitempty"`
	Gateway     *GatewayConfig     `yaml:"gateway,omitempty"`
	Provisioner *ProvisionerConfig `yaml:"provisioner,omitempty"`
}

// BusConfig says where the bus is and as whom to speak.
type BusConfig struct {
	URL      string `yaml:"url"`      // tls://host:port
	CA       string `yaml:"ca"`       // file: PEM certificates that the bus is verified against
	Identity string `yaml:"identity"` // file: nkey seed
}

// LogConfig says how to log.
type LogConfig struct {
	Level  string `yaml:"level,omitempty"`  // debug, info (default), warn, error
	Format string `yaml:"format,omitempty"` // text (default), json
}

// CAConfig is the ca service's own part.
type CAConfig struct {
	Listen   string        `yaml:"listen"`              // host:port of the CA's HTTPS server
	Names    []string      `yaml:"names"`               // names on the CA's own certificate
	Domains  []string      `yaml:"domains"`             // name constraint: permitted DNS domains
	IPRanges []string      `yaml:"ip_ranges"`           // name constraint: permitted CIDR prefixes
	Name     string        `yaml:"name,omitempty"`      // common name's stem; default "Phoenix <stack>"
	Duration time.Duration `yaml:"duration,omitempty"`  // life of leaf certificates; default 24 h
	RootLife time.Duration `yaml:"root_life,omitempty"` // default 10 years
	// IntermediateLife is the life of the intermediate; default 5 years.
	IntermediateLife time.Duration `yaml:"intermediate_life,omitempty"`
	// AllowLoopback and Denied are the same as the proxy's: both services judge
	// the same registrations and must agree.
	AllowLoopback bool     `yaml:"allow_loopback,omitempty"`
	Denied        []string `yaml:"denied,omitempty"`
}

// ProxyConfig is proxyconf's own part.
type ProxyConfig struct {
	Listen      string `yaml:"listen"`       // host:port of Traefik's HTTPS entry point
	API         string `yaml:"api"`          // host:port of Traefik's API, a loopback address
	Traefik     string `yaml:"traefik"`      // Traefik's binary
	TraefikUnit string `yaml:"traefik_unit"` // name of the unit that runs it
	// Gateway lists the addresses whose X-Forwarded headers are believed.
	Gateway []string `yaml:"gateway,omitempty"`
	// AllowLoopback admits backends on loopback addresses (one machine only).
	AllowLoopback bool `yaml:"allow_loopback,omitempty"`
	// Denied lists addresses, prefixes or address:port pairs that are never a
	// backend: the stack's own.
	Denied []string `yaml:"denied,omitempty"`
}

// GatewayConfig is the gateway's own part.
type GatewayConfig struct {
	HTTPS      []string `yaml:"https"`       // host:port to serve HTTPS on
	HTTP       []string `yaml:"http"`        // host:port to redirect from
	PublicPort int      `yaml:"public_port"` // port in the redirect's target
	Nginx      string   `yaml:"nginx"`       // nginx's binary
	NginxUnit  string   `yaml:"nginx_unit"`  // name of the unit that runs it
}

// ProvisionerConfig is the provisioner's own part.
type ProvisionerConfig struct {
	Home       string `yaml:"home"`       // $PHOENIX_HOME
	Driver     string `yaml:"driver"`     // local
	Addresses  string `yaml:"addresses"`  // block of three octets
	Containers string `yaml:"containers"` // folder of the containers (local driver)
	Identities string `yaml:"identities"` // folder of the services' nkey seeds, <identity>.nk
	Programs   string `yaml:"programs"`   // folder of the services' programs, phoenix-<service>
	Traefik    string `yaml:"traefik"`    // Traefik's binary
	Nginx      string `yaml:"nginx"`      // nginx's binary
}

// Load reads the configuration file at path. An unknown key is an error that
// names its line and column.
func Load(path string) (Config, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return Config{}, fmt.Errorf("open configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return Config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	if len(raw) > maxConfig {
		return Config{}, fmt.Errorf("configuration %s is larger than %d bytes", path, maxConfig)
	}
	var c Config
	if err := yaml.UnmarshalWithOptions(raw, &c, yaml.Strict()); err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// Marshal renders the configuration as Load reads it.
func (c Config) Marshal() ([]byte, error) {
	out, err := yaml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("render configuration: %w", err)
	}
	return out, nil
}

// Validate reports every fault of what all services need, and whether the part
// of service id is there.
func (c Config) Validate(id events.Identity) error {
	var errs []error
	for _, f := range []struct{ key, value string }{
		{"stack", c.Stack}, {"domain", c.Domain}, {"address", c.Address}, {"health", c.Health},
		{"state", c.State}, {"bus.url", c.Bus.URL}, {"bus.ca", c.Bus.CA}, {"bus.identity", c.Bus.Identity},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s is missing", f.key))
		}
	}
	own := map[events.Identity]bool{
		events.CA: c.CA != nil, events.Proxyconf: c.Proxy != nil,
		events.Gateway: c.Gateway != nil, events.Provisioner: c.Provisioner != nil,
	}
	if !own[id] {
		errs = append(errs, fmt.Errorf("the part of service %s is missing", id))
	}
	return errors.Join(errs...)
}
