package config

import (
	"net/netip"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Stack is one stack as a person wishes it: the contents of phoenix.yaml.
type Stack struct {
	// Name of the stack: one label of lower-case letters, digits and hyphens.
	Stack string `json:"stack,omitempty" jsonschema:"default=home"`
	// What runs the containers. "local" runs them as processes on this machine.
	Driver string `json:"driver,omitempty" jsonschema:"enum=local,default=local"`
	// Domain below which every host of the stack lies.
	Domain string `json:"domain,omitempty" jsonschema:"default=phoenix.localhost"`
	// Block of addresses: the first three octets. Container 103 gets the address that ends in .103.
	Addresses string `json:"addresses,omitempty" jsonschema:"default=127.0.1,pattern=^[0-9]+\\.[0-9]+\\.[0-9]+$"`
	// How long bringing the stack up may take.
	Deadline Deadline `json:"deadline,omitzero"`
	// The message bus.
	Bus Bus `json:"bus,omitzero"`
	// Path of Traefik's program; empty finds or builds one.
	Traefik string `json:"traefik,omitempty"`
	// Path of nginx's program; empty finds one.
	Nginx string `json:"nginx,omitempty"`
	// The certificate authority.
	CA CA `json:"ca,omitzero"`
	// What the services log.
	Log Log `json:"log,omitzero"`
	// Services that the stack publishes over HTTPS.
	Services []Service `json:"services,omitempty"`
}

// Deadline says how long bringing a stack up may take.
type Deadline struct {
	// Longest time for one step, such as the start of one container.
	Step Duration `json:"step,omitzero" jsonschema:"default=2m"`
	// Longest time for the whole run.
	Run Duration `json:"run,omitzero" jsonschema:"default=5m"`
}

// Bus says where the message bus is.
type Bus struct {
	// URL of an external NATS server, such as tls://bus.example.org:4222; empty runs one inside the stack.
	URL string `json:"url,omitempty"`
}

// CA configures the certificate authority.
type CA struct {
	// Common name's stem of root and intermediate; empty is "Phoenix" and the stack's name.
	Name string `json:"name,omitempty"`
	// Life of a service's certificate: whole hours, at least one.
	Duration Duration `json:"duration,omitzero" jsonschema:"default=24h"`
	// Life of the root certificate.
	RootLife Duration `json:"root_life,omitzero" jsonschema:"default=3650d"`
	// Life of the intermediate certificate.
	IntermediateLife Duration `json:"intermediate_life,omitzero" jsonschema:"default=1825d"`
}

// Log says what the services log, and how.
type Log struct {
	// Least important level that is logged.
	Level string `json:"level,omitempty" jsonschema:"enum=debug,enum=info,enum=warn,enum=error,default=info"`
	// Form of a line.
	Format string `json:"format,omitempty" jsonschema:"enum=text,enum=json,default=text"`
}

// Service is one service that the stack publishes. Either url or backend says
// where it listens.
type Service struct {
	// Name of the service: one label of lower-case letters, digits and hyphens.
	Name string `json:"name" jsonschema:"required"`
	// Hosts to serve it under; empty is the name below the stack's domain.
	Hosts []string `json:"hosts,omitempty"`
	// Where the service listens, such as https://10.0.0.5:9443.
	URL string `json:"url,omitempty"`
	// Where the service listens, in parts.
	Backend *Backend `json:"backend,omitempty"`
	// How its certificate is issued.
	Issuer events.Issuer `json:"issuer,omitempty" jsonschema:"enum=acme,default=acme"`
	// Certificates (PEM) that an https backend is verified against, when the stack's root is not the one.
	CA string `json:"ca,omitempty"`
	// SHA-256 of an https backend's own certificate in hexadecimal; verifies it instead of a CA.
	Fingerprint string `json:"fingerprint,omitempty" jsonschema:"pattern=^([0-9A-Fa-f]{2}:?){32}$"`
	// Name that an https backend's certificate must carry, when it is not the backend's address.
	ServerName string `json:"server_name,omitempty"`
}

// Backend is where a service listens.
type Backend struct {
	// http or https.
	Scheme string `json:"scheme" jsonschema:"required,enum=http,enum=https"`
	// IP address or DNS name.
	Address string `json:"address" jsonschema:"required"`
	// Port; the scheme's own when left out.
	Port int `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
}

// Address returns the address in the stack's block that ends in id. The zero
// Addr means that the block or the id is not valid.
func (s Stack) Address(id int) netip.Addr {
	if id < 1 || id > 254 {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s.Addresses + "." + strconv.Itoa(id))
	if err != nil || !a.Is4() {
		return netip.Addr{}
	}
	return a
}

// HostsIn returns the hosts of the service: those it names, or its name below
// the domain.
func (s Service) HostsIn(domain string) []string {
	if len(s.Hosts) > 0 {
		return s.Hosts
	}
	return []string{s.Name + "." + domain}
}

// Registration returns the message that claims the service on the bus.
func (s Service) Registration() events.ServiceRegistered {
	return events.ServiceRegistered{
		Name: s.Name, Hosts: s.Hosts, URL: s.URL, Backend: s.Backend.event(),
		Issuer: s.Issuer, CA: s.CA, Fingerprint: s.Fingerprint, ServerName: s.ServerName,
	}
}

func (b *Backend) event() *events.Backend {
	if b == nil {
		return nil
	}
	return &events.Backend{Scheme: b.Scheme, Address: b.Address, Port: b.Port}
}
