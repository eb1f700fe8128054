package traefik

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
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
	// Order are those of the hosts that Traefik shall have a certificate for.
	Order []string
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

// Revision stands for what is routed where, whatever is ordered and tried again.
func (d Dynamic) Revision() string {
	sum := sha256.New()
	d.hashRoutes(sum)
	return short(sum)
}

// Marker stands for the whole configuration. It is the name by which Traefik's API
// shows that it has it.
func (d Dynamic) Marker() string {
	sum := sha256.New()
	d.hashRoutes(sum)
	for _, r := range d.Routes {
		hash(sum, r.Order)
	}
	hash(sum, d.Resolvers, d.DefaultCertificate, d.DefaultKey)
	return "revision-" + short(sum) + "-" + strconv.Itoa(d.Attempt)
}

func (d Dynamic) hashRoutes(sum io.Writer) {
	for _, o := range d.Own {
		hash(sum, o.Label, o.Host)
	}
	for _, r := range d.Routes {
		hash(sum, r.Service, r.Hosts, r.Servers)
		if r.TLS != nil {
			hash(sum, r.TLS.RootFile, r.TLS.ServerName)
		}
	}
}

// hash writes values, quoted, so that none can pass for two.
func hash(sum io.Writer, values ...any) {
	_, _ = fmt.Fprintf(sum, "%q\n", values) // never fails
}

func short(sum interface{ Sum([]byte) []byte }) string { return hex.EncodeToString(sum.Sum(nil)[:6]) }

var errTemplate = errors.New("the configuration has a template in it")

// Render marshals the configuration.
func (d Dynamic) Render() ([]byte, error) {
	config := d.configuration()
	config.HTTP.Middlewares = map[string]*dynamic.Middleware{d.Marker(): marker(d.Revision())}
	content, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("render Traefik's dynamic configuration: %w", err)
	}
	if bytes.Contains(content, []byte("{{")) {
		return nil, fmt.Errorf("render Traefik's dynamic configuration: %w", errTemplate)
	}
	return content, nil
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
		http.Routers["stack-"+o.Label] = d.router(o.Label, pingTarget, []string{o.Host}, []string{o.Host})
	}
	for _, r := range d.Routes {
		key := "service-" + r.Service
		http.Routers[key] = d.router(r.Service, key, r.Hosts, r.Order)
		http.Services[key] = &dynamic.Service{LoadBalancer: balancer(r, transportName(r))}
		if r.TLS != nil {
			http.ServersTransports[transportName(r)] = serversTransportOf(*r.TLS)
		}
	}
	return &dynamic.Configuration{HTTP: http, TLS: d.tls()}
}

// router has each host's certificate ordered by itself.
func (d Dynamic) router(label, service string, hosts, order []string) *dynamic.Router {
	rules := make([]string, len(hosts))
	for i, h := range hosts {
		rules[i] = "Host(`" + h + "`)"
	}
	secured := &dynamic.RouterTLSConfig{}
	if len(order) > 0 { // with a resolver alone, Traefik would order for all hosts
		secured.CertResolver = d.resolver(label)
	}
	for _, h := range order {
		secured.Domains = append(secured.Domains, types.Domain{Main: h})
	}
	return &dynamic.Router{EntryPoints: []string{entryPoint}, Rule: strings.Join(rules, " || "), Service: service, TLS: secured}
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
