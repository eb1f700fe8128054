package traefik

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/traefik/genconf/dynamic"
	"github.com/traefik/genconf/dynamic/tls"
	"github.com/traefik/genconf/dynamic/types"
)

// Limits of a connection to a backend.
const (
	idleConns   = 200
	dialTimeout = "5s"
)

// Own is a host of the stack itself. Traefik answers it.
type Own struct {
	Label string // router's name: "proxy", "gateway"
	Host  string
}

// Route leads the hosts of a service to its backend.
type Route struct {
	Service string
	Hosts   []string
	// Servers are the URLs of the backend. Without one the route answers 503, and
	// its certificates are ordered all the same.
	Servers []string
	// TLS says how the backend's certificate is verified; nil for plain HTTP.
	TLS *BackendTLS
}

// BackendTLS says how the certificate of a backend is verified.
type BackendTLS struct {
	RootFile   string // PEM: whom to trust
	ServerName string // name the certificate must carry; empty: the URL's host
}

// Dynamic is what Traefik shall serve.
type Dynamic struct {
	Own    []Own
	Routes []Route
	// Resolvers are the names of the ACME resolvers; each service sticks to one.
	Resolvers []string
	// DefaultCertificate and DefaultKey are files of a pair that is never shown:
	// without one, Traefik makes an RSA key at each change of its configuration.
	DefaultCertificate, DefaultKey string
	// Attempt is raised to have Traefik try the orders again that failed: it
	// orders missing certificates whenever its configuration changes.
	Attempt int
}

// Rendered is a dynamic configuration ready to be written.
type Rendered struct {
	// Revision stands for the content but for the attempt.
	Revision string
	// Marker is the name by which Traefik's API shows that it has it.
	Marker string
	YAML   []byte
}

var errTemplate = errors.New("the configuration has a template in it")

// Render marshals the configuration.
func (d Dynamic) Render() (Rendered, error) {
	config := d.configuration()
	content, err := yaml.Marshal(config)
	if err != nil {
		return Rendered{}, fmt.Errorf("render Traefik's dynamic configuration: %w", err)
	}
	sum := sha256.Sum256(content)
	r := Rendered{Revision: hex.EncodeToString(sum[:6])}
	r.Marker = "revision-" + r.Revision + "-" + strconv.Itoa(d.Attempt)
	config.HTTP.Middlewares = map[string]*dynamic.Middleware{r.Marker: marker(r.Revision)}
	r.YAML, err = yaml.Marshal(config)
	if err != nil {
		return Rendered{}, fmt.Errorf("render Traefik's dynamic configuration: %w", err)
	}
	if bytes.Contains(r.YAML, []byte("{{")) {
		return Rendered{}, fmt.Errorf("render Traefik's dynamic configuration: %w", errTemplate)
	}
	return r, nil
}

// marker is a middleware that no router uses. It is also what keeps the
// configuration from ever being empty, which Traefik would ignore.
func marker(revision string) *dynamic.Middleware {
	return &dynamic.Middleware{Headers: &dynamic.Headers{
		CustomResponseHeaders: map[string]string{"X-Phoenix-Revision": revision},
	}}
}

func (d Dynamic) configuration() *dynamic.Configuration {
	http := &dynamic.HTTPConfiguration{
		Routers:           map[string]*dynamic.Router{},
		Services:          map[string]*dynamic.Service{},
		ServersTransports: map[string]*dynamic.ServersTransport{},
	}
	for _, o := range d.Own {
		http.Routers["stack-"+o.Label] = d.router(o.Label, pingTarget, o.Host)
	}
	for _, r := range d.Routes {
		key := "service-" + r.Service
		http.Routers[key] = d.router(r.Service, key, r.Hosts...)
		http.Services[key] = &dynamic.Service{LoadBalancer: balancer(r, transportName(r))}
		if r.TLS != nil {
			http.ServersTransports[transportName(r)] = serversTransportOf(*r.TLS)
		}
	}
	return &dynamic.Configuration{HTTP: http, TLS: d.tls()}
}

// router has each host's certificate ordered by itself.
func (d Dynamic) router(label, service string, hosts ...string) *dynamic.Router {
	rules := make([]string, len(hosts))
	domains := make([]types.Domain, len(hosts))
	for i, h := range hosts {
		rules[i] = "Host(`" + h + "`)"
		domains[i] = types.Domain{Main: h}
	}
	return &dynamic.Router{
		EntryPoints: []string{entryPoint},
		Rule:        strings.Join(rules, " || "),
		Service:     service,
		TLS:         &dynamic.RouterTLSConfig{CertResolver: d.resolver(label), Domains: domains},
	}
}

// resolver picks the same one for the same label each time.
func (d Dynamic) resolver(label string) string {
	if len(d.Resolvers) == 0 {
		return ""
	}
	return d.Resolvers[int(crc32.ChecksumIEEE([]byte(label)))%len(d.Resolvers)]
}

func balancer(r Route, transport string) *dynamic.ServersLoadBalancer {
	pass := true
	lb := &dynamic.ServersLoadBalancer{PassHostHeader: &pass, ServersTransport: transport}
	for _, url := range r.Servers {
		lb.Servers = append(lb.Servers, dynamic.Server{URL: url})
	}
	return lb
}

// transportName names a service's own transport: connections to two services
// are never shared, as each is verified by its own rules.
func transportName(r Route) string {
	if r.TLS == nil {
		return ""
	}
	return "service-" + r.Service
}

func serversTransportOf(t BackendTLS) *dynamic.ServersTransport {
	return &dynamic.ServersTransport{
		ServerName:          t.ServerName,
		RootCAs:             []string{t.RootFile},
		MaxIdleConnsPerHost: idleConns,
		ForwardingTimeouts:  &dynamic.ForwardingTimeouts{DialTimeout: dialTimeout},
	}
}

// tls refuses handshakes for hosts without a certificate, so nobody ever sees
// the default one.
func (d Dynamic) tls() *dynamic.TLSConfiguration {
	out := &dynamic.TLSConfiguration{Options: map[string]tls.Options{
		"default": {MinVersion: "VersionTLS12", SniStrict: true},
	}}
	if d.DefaultCertificate != "" {
		out.Stores = map[string]tls.Store{"default": {
			DefaultCertificate: &tls.Certificate{CertFile: d.DefaultCertificate, KeyFile: d.DefaultKey},
		}}
	}
	return out
}
