package claims

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// ErrUnclaimed says that nobody claims a name yet: the claim may be on its way.
var ErrUnclaimed = errors.New("not claimed")

// Rules are what is fixed about a stack.
type Rules struct {
	Domain string
	// Bus is the address of the bus, where it is known by one.
	Bus netip.Addr
}

// Registry tells what is claimed now.
type Registry interface {
	// Claimed returns the service that holds a host.
	Claimed(host string) (registry.Service, bool)
	// Services returns everything that is in force.
	Services() []registry.Service
}

// asker is who asks, as far as rights go: a way, or an identity on the bus.
type asker string

// askers of the ways that do not tell an identity. Whoever holds the password of
// the admin provisioner is the operator.
const (
	anybody  asker = "acme" // who shows at the proxy's address that the name is his
	holder   asker = "renew"
	operator       = asker(events.Ops)
	stranger asker = ""
)

func askerOf(r stepca.Request) asker {
	switch r.Way {
	case stepca.WayACME:
		return anybody
	case stepca.WayRenew:
		return holder
	case stepca.WayJWK:
		return operator
	case stepca.WayBus:
		return asker(r.Speaker)
	}
	return stranger
}

// owners lists who may ask for the stack's own names, by label. The CA's own is
// nobody's: it signs that for itself.
func owners(label string) []asker {
	switch label {
	case "proxy", "probe":
		return []asker{anybody, holder, asker(events.Proxyconf)}
	case "gateway":
		return []asker{anybody, holder, asker(events.Proxyconf), asker(events.Gateway)}
	case "bus":
		return []asker{holder, operator, asker(events.Provisioner)}
	}
	return nil
}

// Judge returns nil when everything that is asked for is claimed by whoever
// asks, else the first reason.
func (rules Rules) Judge(claimed Registry, r stepca.Request) error {
	who := askerOf(r)
	for _, host := range r.DNS {
		if err := rules.host(claimed, who, host); err != nil {
			return err
		}
	}
	for _, ip := range r.IPs {
		if err := rules.address(claimed, who, ip); err != nil {
			return err
		}
	}
	return nil
}

func (rules Rules) host(claimed Registry, who asker, host string) error {
	if name.Reserved(host, rules.Domain) {
		return rules.own(who, host)
	}
	if err := name.Host(host, rules.Domain); err != nil {
		return err
	}
	s, ok := claimed.Claimed(host)
	if !ok {
		return fmt.Errorf("%q is %w by any service", host, ErrUnclaimed)
	}
	if !mayAsk(who, s) {
		return fmt.Errorf("%q belongs to service %q, which %s registered", host, s.Name, s.Owner)
	}
	return nil
}

// own judges one of the stack's own names.
func (rules Rules) own(who asker, host string) error {
	label := strings.TrimSuffix(host, "."+rules.Domain)
	if slices.Contains(owners(label), who) {
		return nil
	}
	return fmt.Errorf("%q is the stack's own", host)
}

// mayAsk says who may ask for what a service holds.
func mayAsk(who asker, s registry.Service) bool {
	switch who {
	case anybody, holder, operator:
		return true
	case asker(events.Provisioner):
		return s.Owner == events.Provisioner
	}
	return false
}

// address judges an IP address: that of a service's backend, so that the backend
// can show a certificate, or that of the bus. By ACME there is none: its
// challenges are answered by the proxy, whatever the address.
func (rules Rules) address(claimed Registry, who asker, ip netip.Addr) error {
	if who == anybody {
		return fmt.Errorf("addresses are not certified by ACME: %s", ip)
	}
	if ip == rules.Bus {
		if slices.Contains(owners("bus"), who) {
			return nil
		}
		return fmt.Errorf("%s is the stack's own", ip)
	}
	found := false
	for _, s := range claimed.Services() {
		backend, err := netip.ParseAddr(s.Backend.Address)
		if err != nil || backend.Unmap() != ip {
			continue
		}
		if mayAsk(who, s) {
			return nil
		}
		found = true
	}
	if found {
		return fmt.Errorf("%s is the backend of somebody else's service", ip)
	}
	return fmt.Errorf("%s is %w as a backend by any service", ip, ErrUnclaimed)
}
