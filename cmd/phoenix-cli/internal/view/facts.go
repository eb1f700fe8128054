package view

import (
	"net"
	"net/url"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// Facts is everything that is known of a stack at one moment. The zero value
// is a stack that is not there.
type Facts struct {
	Now        time.Time
	Stack      events.StackState
	CA         events.CAState
	Containers []events.ContainerState
	Services   []events.ServiceState
	Hosts      map[string]events.GatewayHost // by host
	// Wanted are the configured services; those that nobody has answered for
	// yet are shown as pending.
	Wanted []Wanted
	// Alive says whether the stack's host answers; without it nothing is kept
	// running.
	Alive bool
	Units []unit.Status
}

// Wanted is a service as it is configured.
type Wanted struct {
	Name   string
	Hosts  []string
	Issuer events.Issuer
}

// serviceURL is where people open a host: the port is that of the stack's own
// address.
func serviceURL(host, address string) string {
	if host == "" {
		return ""
	}
	if u, err := url.Parse(address); err == nil && u.Port() != "" && u.Port() != "443" {
		host = net.JoinHostPort(host, u.Port())
	}
	return "https://" + host + "/"
}
