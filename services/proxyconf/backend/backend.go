// Package backend finds out how a service's backend is reached: at which
// addresses, and how its certificate is verified.
//
// What is found is exactly what Traefik will be told, and the check does what
// Traefik will do, so that a backend that Traefik would refuse is known before
// somebody asks for it. Names are looked up here and Traefik gets the addresses:
// whoever controls a name can't lead it elsewhere after it was judged.
package backend

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// Route is how a backend is reached.
type Route struct {
	Sequence uint64 // of the registration that it is for
	// Servers are URLs with IP addresses; empty when none is known or allowed.
	Servers []string
	// Trust is PEM: whom to trust there; empty for plain HTTP. ServerName is the
	// name that the certificate must carry; empty means the URL's address.
	Trust, ServerName string
	// Pending says that the backend was not asked yet.
	Pending bool
	// Encrypted and Verified say how it was seen to answer.
	Encrypted, Verified bool
	// Reason says what is wrong; empty when nothing is.
	Reason string
}

// Settled says that nothing about the route can change by asking.
func (r Route) Settled() bool { return !r.Pending && !r.Encrypted && r.Reason == "" }

// Usable says that Traefik can be told of the route.
func (r Route) Usable() bool { return len(r.Servers) > 0 && (!r.Encrypted || r.Trust != "") }

// Plan returns what is known of a service's backend without asking anybody. root
// is the stack's root certificate in PEM.
func Plan(s registry.Service, root string) Route {
	r := Route{Sequence: s.Sequence, Encrypted: s.Backend.Scheme == "https"}
	address, err := netip.ParseAddr(s.Backend.Address)
	if err == nil {
		r.Servers = urls(s, []netip.Addr{address})
	}
	r.Pending = r.Encrypted || err != nil
	if r.Encrypted {
		r.Trust = trust(s, root)
		r.ServerName = serverName(s)
	}
	return r
}

// trust returns what verifies the backend; nothing yet when that is to be told
// by the certificate it shows.
func trust(s registry.Service, root string) string {
	switch {
	case s.Fingerprint != "":
		return ""
	case s.CA != "":
		return s.CA
	default:
		return root
	}
}

// serverName returns the name that the certificate must carry; empty for the
// address itself.
func serverName(s registry.Service) string {
	if s.ServerName != "" {
		return s.ServerName
	}
	if _, err := netip.ParseAddr(s.Backend.Address); err == nil {
		return ""
	}
	return s.Backend.Address
}

// urls returns the URL of each address, in a fixed order.
func urls(s registry.Service, addresses []netip.Addr) []string {
	sorted := slices.Clone(addresses)
	slices.SortFunc(sorted, netip.Addr.Compare)
	var out []string
	for _, ip := range slices.Compact(sorted) {
		b := s.Backend
		b.Address = ip.String()
		out = append(out, name.URL(b))
	}
	return out
}

// hostPort returns where to dial.
func hostPort(s registry.Service, ip netip.Addr) string {
	return net.JoinHostPort(ip.String(), strconv.Itoa(s.Backend.Port))
}
