package serve

import (
	"fmt"
	"net"
)

// Site is where this proxy is, and what its programs are.
type Site struct {
	Domain  string
	HTTPS   string   // host:port of Traefik's entry point
	API     string   // host:port of Traefik's API
	Gateway []string // addresses of the gateway
	Traefik string   // Traefik's program
	Unit    string   // name of the unit that runs it
	Self    string   // this program, which starts Traefik
}

// resolvers is how many ACME resolvers share the orders. One is enough: they
// would share one account, and what an order costs is its keys.
const resolvers = 1

// ProxyHost is the name on Traefik's own certificate.
func (s Site) ProxyHost() string { return "proxy." + s.Domain }

// GatewayHost is the gateway's own name.
func (s Site) GatewayHost() string { return "gateway." + s.Domain }

func (s Site) probeHost() string { return "probe." + s.Domain }

// url returns the URL of a host at Traefik.
func (s Site) url(host string) string {
	_, port, err := net.SplitHostPort(s.HTTPS)
	if err != nil || port == "443" {
		return "https://" + host + "/"
	}
	return fmt.Sprintf("https://%s/", net.JoinHostPort(host, port))
}
