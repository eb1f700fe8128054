package traefik

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
)

// Names in the static configuration that the dynamic one refers to.
const (
	entryPoint = "websecure"
	pingTarget = "ping@internal"
)

// shortestLife is the shortest life of a certificate that Traefik can renew: it
// counts in whole hours.
const shortestLife = time.Hour

// Static is what Traefik reads once, at its start. Whatever changes in it costs a
// restart.
type Static struct {
	HTTPS   string   // host:port of the entry point
	API     string   // host:port of API, ping and metrics; a loopback address
	Gateway []string // addresses whose X-Forwarded headers are believed

	ACMEDirectory string
	RootFile      string        // PEM: whom to trust at ACMEDirectory
	Life          time.Duration // of the certificates that the CA issues
	Resolvers     int           // how many to spread the orders over

	Storage string // acme.json
	Dynamic string // folder of the dynamic configuration
}

// Marshal renders the configuration.
func (s Static) Marshal() ([]byte, error) {
	if s.Life < shortestLife {
		return nil, fmt.Errorf("certificates that live %s are too short for Traefik: it can renew those of %s and more", s.Life, shortestLife)
	}
	out, err := yaml.Marshal(s.file())
	if err != nil {
		return nil, fmt.Errorf("render Traefik's static configuration: %w", err)
	}
	return append([]byte("# Written by proxyconf. Changes are lost.\n"), out...), nil
}

// ResolverNames returns the names of n resolvers.
func ResolverNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "acme-" + strconv.Itoa(i+1)
	}
	return names
}

func (s Static) file() staticFile {
	resolvers := map[string]resolver{}
	for _, name := range ResolverNames(s.Resolvers) {
		resolvers[name] = resolver{ACME: s.acme()}
	}
	return staticFile{
		Log: logging{Level: "INFO", Format: "json", NoColor: true},
		EntryPoints: map[string]entry{
			entryPoint: {
				Address:          s.HTTPS,
				AsDefault:        true,
				ForwardedHeaders: &forwarded{TrustedIPs: slices.Clone(s.Gateway)},
				// An upload may take longer than any fixed time; the gateway in front
				// bounds slow clients.
				Transport: &transport{RespondingTimeouts: timeouts{Read: "0s", Write: "0s", Idle: "180s"}},
			},
			"traefik": {Address: s.API},
		},
		Providers: providers{
			// Default 2 s: that long a new route would wait.
			ProvidersThrottleDuration: "20ms",
			File:                      fileProvider{Directory: s.Dynamic, Watch: true},
		},
		CertificatesResolvers: resolvers,
		API:                   api{Insecure: true},
		Ping:                  ping{ManualRouting: true},
		Metrics:               metrics{Prometheus: prometheus{EntryPoint: "traefik", AddServicesLabels: true}},
		ServersTransport:      serversTransport{MaxIdleConnsPerHost: idleConns, ForwardingTimeouts: forwardingTimeouts{Dial: dialTimeout}},
		Global:                global{},
	}
}

// acme leaves the e-mail address out: without one, Traefik makes a new account at
// each start, so a CA that lost its accounts does no harm.
func (s Static) acme() acme {
	return acme{
		CAServer:             s.ACMEDirectory,
		CACertificates:       []string{s.RootFile},
		Storage:              s.Storage,
		KeyType:              "EC256", // default: RSA 4096, and most of the time of an order
		CertificatesDuration: int(s.Life / time.Hour),
	}
}

// staticFile is the part of Traefik's static configuration that is used here.
type staticFile struct {
	Global                global              `yaml:"global"`
	Log                   logging             `yaml:"log"`
	EntryPoints           map[string]entry    `yaml:"entryPoints"`
	Providers             providers           `yaml:"providers"`
	CertificatesResolvers map[string]resolver `yaml:"certificatesResolvers"`
	API                   api                 `yaml:"api"`
	Ping                  ping                `yaml:"ping"`
	Metrics               metrics             `yaml:"metrics"`
	ServersTransport      serversTransport    `yaml:"serversTransport"`
}

type global struct {
	CheckNewVersion    bool `yaml:"checkNewVersion"`
	SendAnonymousUsage bool `yaml:"sendAnonymousUsage"`
}

type logging struct {
	Level   string `yaml:"level"`
	Format  string `yaml:"format"`
	NoColor bool   `yaml:"noColor"`
}

type entry struct {
	Address          string     `yaml:"address"`
	AsDefault        bool       `yaml:"asDefault,omitempty"`
	ForwardedHeaders *forwarded `yaml:"forwardedHeaders,omitempty"`
	Transport        *transport `yaml:"transport,omitempty"`
}

type forwarded struct {
	TrustedIPs []string `yaml:"trustedIPs"`
}

type transport struct {
	RespondingTimeouts timeouts `yaml:"respondingTimeouts"`
}

type timeouts struct {
	Read  string `yaml:"readTimeout"`
	Write string `yaml:"writeTimeout"`
	Idle  string `yaml:"idleTimeout"`
}

type providers struct {
	ProvidersThrottleDuration string       `yaml:"providersThrottleDuration"`
	File                      fileProvider `yaml:"file"`
}

type fileProvider struct {
	Directory string `yaml:"directory"`
	Watch     bool   `yaml:"watch"`
}

type resolver struct {
	ACME acme `yaml:"acme"`
}

type acme struct {
	CAServer             string       `yaml:"caServer"`
	CACertificates       []string     `yaml:"caCertificates"`
	Storage              string       `yaml:"storage"`
	KeyType              string       `yaml:"keyType"`
	CertificatesDuration int          `yaml:"certificatesDuration"`
	TLSChallenge         tlsChallenge `yaml:"tlsChallenge"`
}

type tlsChallenge struct{}

type api struct {
	Insecure  bool `yaml:"insecure"` // served on the entry point "traefik"
	Dashboard bool `yaml:"dashboard"`
}

type ping struct {
	ManualRouting bool `yaml:"manualRouting"`
}

type metrics struct {
	Prometheus prometheus `yaml:"prometheus"`
}

type prometheus struct {
	EntryPoint        string `yaml:"entryPoint"`
	AddServicesLabels bool   `yaml:"addServicesLabels"`
}

type serversTransport struct {
	MaxIdleConnsPerHost int                `yaml:"maxIdleConnsPerHost"`
	ForwardingTimeouts  forwardingTimeouts `yaml:"forwardingTimeouts"`
}

type forwardingTimeouts struct {
	Dial string `yaml:"dialTimeout"`
}
