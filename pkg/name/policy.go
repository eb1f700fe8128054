package name

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// ErrRefused says that a backend has an address that is not allowed, as opposed
// to none that can be found now.
var ErrRefused = errors.New("is refused")

// Resolver looks names up; [net.Resolver] is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Policy says which addresses a backend may have. The zero value refuses what is
// never a backend, and loopback.
type Policy struct {
	// AllowLoopback admits loopback addresses, on one machine only.
	AllowLoopback bool
	// Denied and DeniedPorts are the stack's own addresses, as a whole or one
	// port of them.
	Denied      []netip.Prefix
	DeniedPorts []netip.AddrPort
	// Resolver looks names up; nil means the system's.
	Resolver Resolver
}

// ParsePolicy returns the policy whose denied addresses are given as addresses,
// prefixes or address:port pairs.
func ParsePolicy(allowLoopback bool, denied []string) (Policy, error) {
	p := Policy{AllowLoopback: allowLoopback}
	for _, s := range denied {
		if ip, err := netip.ParseAddr(s); err == nil {
			p.Denied = append(p.Denied, netip.PrefixFrom(ip, ip.BitLen()))
		} else if prefix, err := netip.ParsePrefix(s); err == nil {
			p.Denied = append(p.Denied, prefix.Masked())
		} else if port, err := netip.ParseAddrPort(s); err == nil {
			p.DeniedPorts = append(p.DeniedPorts, port)
		} else {
			return Policy{}, fmt.Errorf("denied address %s is no address, prefix or address:port", quote(s))
		}
	}
	return p, nil
}

// CheckLiteral judges what can be judged without asking a resolver, so its answer
// never changes: an IP address, or a name that always means this machine.
func (p Policy) CheckLiteral(b events.Backend) error {
	if ips, ok := literal(b.Address); ok {
		return p.checkAll(b, ips)
	}
	return nil
}

// Check looks the backend's address up and judges every address found.
func (p Policy) Check(ctx context.Context, b events.Backend) error {
	_, err := p.Resolve(ctx, b)
	return err
}

// Resolve returns the addresses of the backend, all of them allowed. Whoever
// connects should use them and not look the name up again: the second answer may
// be another one.
func (p Policy) Resolve(ctx context.Context, b events.Backend) ([]netip.Addr, error) {
	ips, ok := literal(b.Address)
	if !ok {
		var err error
		if ips, err = p.lookup(ctx, b.Address); err != nil {
			return nil, err
		}
	}
	if err := p.checkAll(b, ips); err != nil {
		return nil, err
	}
	return ips, nil
}

func (p Policy) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	r := p.Resolver
	if r == nil {
		r = net.DefaultResolver
	}
	found, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("look up backend %s: %w", quote(host), err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("look up backend %s: no address", quote(host))
	}
	ips := make([]netip.Addr, 0, len(found))
	for _, ip := range found {
		// Resolvers return IPv4 addresses in either form.
		ips = append(ips, ip.Unmap())
	}
	return ips, nil
}

// literal returns the addresses that a backend's address stands for by itself.
func literal(address string) ([]netip.Addr, bool) {
	if ip, err := netip.ParseAddr(address); err == nil {
		return []netip.Addr{ip}, true
	}
	if address == "localhost" || strings.HasSuffix(address, ".localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, true
	}
	return nil, false
}

func (p Policy) checkAll(b events.Backend, ips []netip.Addr) error {
	for _, ip := range ips {
		if why := p.refuse(ip, b.Port); why != "" {
			return fmt.Errorf("backend %s %w: %s is %s", quote(URL(b)), ErrRefused, ip, why)
		}
	}
	return nil
}

// refuse says why an address may not be a backend; empty when it may.
func (p Policy) refuse(ip netip.Addr, port int) string {
	if why := never(ip); why != "" {
		return why
	}
	if ip.IsLoopback() && !p.AllowLoopback {
		return "a loopback address"
	}
	for _, d := range p.Denied {
		if d.Contains(ip) {
			return "the stack's own"
		}
	}
	for _, d := range p.DeniedPorts {
		if d.Addr() == ip && int(d.Port()) == port {
			return "the stack's own"
		}
	}
	return ""
}

// never says why an address is no backend anywhere; empty when it may be one.
func never(ip netip.Addr) string {
	switch {
	case !ip.IsValid() || ip.Zone() != "":
		return "not a plain address"
	case ip.IsUnspecified():
		return "the unspecified address"
	case ip.IsMulticast():
		return "a multicast address"
	case ip.IsLinkLocalUnicast():
		return "a link-local address"
	case ip.Is4In6():
		return embedded
	case ip.IsLoopback():
		return ""
	}
	for _, s := range neverPrefixes() {
		if s.prefix.Contains(ip) {
			return s.why
		}
	}
	return ""
}

type neverPrefix struct {
	prefix netip.Prefix
	why    string
}

const embedded = "an IPv4 address in IPv6 form"

// neverPrefixes lists what the standard predicates don't know. The forms that
// carry an IPv4 address inside an IPv6 one would walk around every other rule.
func neverPrefixes() []neverPrefix {
	const metadata = "a metadata service"
	return []neverPrefix{
		{netip.MustParsePrefix("::/96"), embedded},
		{netip.MustParsePrefix("::ffff:0:0:0/96"), embedded},
		{netip.MustParsePrefix("64:ff9b::/96"), embedded},
		{netip.MustParsePrefix("64:ff9b:1::/48"), embedded},
		{netip.MustParsePrefix("2002::/16"), embedded},
		{netip.MustParsePrefix("2001::/32"), embedded},
		{netip.MustParsePrefix("fec0::/10"), "a link-local address"},
		{netip.MustParsePrefix("0.0.0.0/8"), "the unspecified address"},
		{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
		{netip.MustParsePrefix("fd00:ec2::254/128"), metadata},
		{netip.MustParsePrefix("fd20:ce::254/128"), metadata},
		{netip.MustParsePrefix("100.100.100.200/32"), metadata},
		{netip.MustParsePrefix("168.63.129.16/32"), metadata},
		{netip.MustParsePrefix("192.0.0.192/32"), metadata},
	}
}
