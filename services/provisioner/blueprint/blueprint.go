// Package blueprint says what a stack's containers look like: ids, addresses,
// ports, the program inside and its configuration. It is pure.
package blueprint

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// Where things lie inside every container.
const (
	ConfigFile   = "/etc/phoenix/service.yaml"
	IdentityFile = "/etc/phoenix/identity.nk"
	CurveFile    = "/etc/phoenix/curve.nk"
	BusCAFile    = "/etc/phoenix/bus-ca.pem"
	StateFolder  = "/var/lib/phoenix"
)

// The ports of the containers.
const (
	portHTTPS  = 8443
	portHTTP   = 8080
	portACME   = 9000
	portHealth = 9090
	portAPI    = 9091
)

// The ids of the containers; on one machine the last octets of their addresses.
const (
	busID     = 100
	gatewayID = 101
	proxyID   = 102
	caID      = 103
)

// Site is the place that containers are made in. It is the same for all of them.
type Site struct {
	Addresses string // block of three octets
	Driver    string
	Bus       string // URL
	Units     string // who runs units: "unix:<socket>"
	Programs  string // folder of the services' programs
	Traefik   string // Traefik's program
	Nginx     string // nginx's program
	// Env is given to every service, as KEY=VALUE; nothing secret.
	Env []string
	// Root returns what goes before paths inside a container, see the driver.
	Root func(id int) string
}

// Container is one container as it shall be.
type Container struct {
	ID       int
	Role     events.Role
	Name     string
	Identity events.Identity // as whom its service speaks
	Address  string
	Ports    map[string]int
	Config   service.Config
	// Unit runs the service. Its digest is left to who fills the container.
	Unit unit.Unit
}

// Check says what of the configuration this site can't fulfil.
func (s Site) Check(stack config.Stack) error {
	if stack.Driver != s.Driver {
		return fmt.Errorf("the stack wants the driver %s, this home has %s", stack.Driver, s.Driver)
	}
	if stack.Addresses != s.Addresses {
		return fmt.Errorf("the stack wants the addresses %s, this home has %s", stack.Addresses, s.Addresses)
	}
	return nil
}

// Containers returns the containers of a stack, in the order in which they
// depend on each other.
func (s Site) Containers(stack config.Stack) []Container {
	ca := s.container(stack, caID, events.RoleCA)
	ca.Ports["acme"] = portACME
	ca.Config.CA = s.ca(stack)

	proxy := s.container(stack, proxyID, events.RoleProxy)
	proxy.Ports["https"], proxy.Ports["api"] = portHTTPS, portAPI
	proxy.Config.Proxy = s.proxy(stack)

	gateway := s.container(stack, gatewayID, events.RoleGateway)
	gateway.Ports["https"], gateway.Ports["http"] = portHTTPS, portHTTP
	gateway.Config.Gateway = s.gateway(stack)

	return []Container{ca, proxy, gateway}
}

// FrontDoor returns the URL of the stack and the host:port that answers it.
func (s Site) FrontDoor(stack config.Stack) (url, dial string) {
	return "https://" + join(Host("gateway", stack), portHTTPS) + "/", s.at(gatewayID, portHTTPS)
}

// Host returns one of the stack's own names.
func Host(label string, stack config.Stack) string { return label + "." + stack.Domain }

// UnitName returns the name of the unit that runs the service in a container.
func UnitName(id int, role events.Role) string { return fmt.Sprintf("%d-%s", id, identityOf(role)) }

// identityOf returns as whom the service in a container of that role speaks.
func identityOf(role events.Role) events.Identity {
	switch role {
	case events.RoleProxy:
		return events.Proxyconf
	case events.RoleGateway:
		return events.Gateway
	default:
		return events.CA
	}
}

// container returns what all containers have in common.
func (s Site) container(stack config.Stack, id int, role events.Role) Container {
	identity := identityOf(role)
	inside := func(file string) string { return path.Join(s.Root(id), file) }
	return Container{
		ID: id, Role: role, Name: stack.Stack + "-" + string(role), Identity: identity,
		Address: s.address(id), Ports: map[string]int{"health": portHealth},
		Config: service.Config{
			Stack: stack.Stack, Domain: stack.Domain, Address: s.address(id), Health: s.at(id, portHealth),
			State: inside(StateFolder),
			Bus:   service.BusConfig{URL: s.Bus, CA: inside(BusCAFile), Identity: inside(IdentityFile)},
			Curve: inside(CurveFile), Units: s.Units,
			Log: service.LogConfig{Level: stack.Log.Level, Format: stack.Log.Format},
		},
		Unit: unit.Unit{
			Name: UnitName(id, role),
			Exec: []string{path.Join(s.Programs, "phoenix-"+string(identity)), "--config", inside(ConfigFile)},
			Env:  slices.Clone(s.Env), Dir: inside(StateFolder), Enabled: true,
		},
	}
}

func (s Site) ca(stack config.Stack) *service.CAConfig {
	return &service.CAConfig{
		Listen: s.at(caID, portACME), Names: []string{Host("ca", stack), s.address(caID)},
		Domains: []string{stack.Domain}, IPRanges: s.ranges(), Name: stack.CA.Name,
		Duration: stack.CA.Duration.Std(), RootLife: stack.CA.RootLife.Std(), IntermediateLife: stack.CA.IntermediateLife.Std(),
		AllowLoopback: s.Driver == config.DriverLocal, Denied: s.denied(),
	}
}

func (s Site) proxy(stack config.Stack) *service.ProxyConfig {
	return &service.ProxyConfig{
		Listen: s.at(proxyID, portHTTPS), API: s.at(proxyID, portAPI),
		Traefik: either(stack.Traefik, s.Traefik), TraefikUnit: fmt.Sprintf("%d-traefik", proxyID),
		Gateway: []string{s.address(gatewayID)}, AllowLoopback: s.Driver == config.DriverLocal, Denied: s.denied(),
	}
}

func (s Site) gateway(stack config.Stack) *service.GatewayConfig {
	c := &service.GatewayConfig{
		HTTPS: []string{s.at(gatewayID, portHTTPS)}, HTTP: []string{s.at(gatewayID, portHTTP)},
		PublicPort: portHTTPS, Nginx: either(stack.Nginx, s.Nginx), NginxUnit: fmt.Sprintf("%d-nginx", gatewayID),
	}
	for _, address := range s.public() {
		c.HTTPS = append(c.HTTPS, join(address, portHTTPS))
		c.HTTP = append(c.HTTP, join(address, portHTTP))
	}
	return c
}

// public lists addresses outside the block that the gateway serves on too. The
// machine's own loopback address goes to the home with the default block: only
// one home can have it.
func (s Site) public() []string {
	if s.Driver == config.DriverLocal && s.Addresses == config.Default().Addresses {
		return []string{"127.0.0.1"}
	}
	return nil
}

// ranges lists the addresses that the CA may certify.
func (s Site) ranges() []string {
	out := []string{s.address(0) + "/24"}
	for _, address := range s.public() {
		out = append(out, address+"/32")
	}
	return out
}

// denied lists the stack's own addresses and ports: never a backend.
func (s Site) denied() []string {
	out := []string{s.address(busID), s.address(gatewayID), s.address(proxyID), s.address(caID)}
	for _, address := range s.public() {
		out = append(out, join(address, portHTTPS), join(address, portHTTP))
	}
	return out
}

func (s Site) address(id int) string      { return s.Addresses + "." + strconv.Itoa(id) }
func (s Site) at(id int, port int) string { return join(s.address(id), port) }

func join(address string, port int) string { return net.JoinHostPort(address, strconv.Itoa(port)) }

// either returns what was configured, or what the site has.
func either(configured, found string) string {
	if configured != "" {
		return configured
	}
	return found
}
