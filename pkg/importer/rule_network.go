package importer

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// ruleNetworks reports addresses of guests that cannot be right by themselves.
func ruleNetworks(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		for _, n := range g.networks {
			out = append(out, interfaceProblems(g, n)...)
		}
	}
	return out
}

func interfaceProblems(g *guest, n network) []Problem {
	ip := n.node.Get("ip")
	switch at := g.doc.key(n.node, "ip"); {
	case strings.EqualFold(ip.Str(), "dhcp"), ip.Scalar() == "":
		hint := ""
		if len(g.networks) > 1 {
			hint = "the guest's other interface has a static one"
		}
		return []Problem{problem(Info, at, hint, "no static address")}
	case !n.prefix.IsValid():
		return []Problem{problem(Error, at, "write an address with its network such as 10.0.0.5/24", "%q is not an IP address", clip(ip.Scalar()))}
	case !strings.Contains(ip.Str(), "/"):
		return []Problem{problem(Warn, at, "write it with its network such as 10.0.0.5/24", "%s has no length of its network", clip(ip.Str()))}
	}
	gw := n.node.Get("gw")
	if gw.Str() == "" {
		return nil
	}
	at := g.doc.at(gw)
	gateway, err := netip.ParseAddr(gw.Str())
	switch {
	case err != nil:
		return []Problem{problem(Error, at, "write an IP address", "%q is not an IP address", clip(gw.Str()))}
	case gateway == n.prefix.Addr():
		return []Problem{problem(Error, at, "write the router's address", "the guest is its own gateway")}
	case !n.prefix.Contains(gateway):
		return []Problem{problem(Error, at, "write an address inside it", "the gateway %s is outside the guest's network %s", gateway, n.prefix.Masked())}
	}
	return nil
}

// landscape is what is known about addresses.
type landscape struct {
	known   map[netip.Addr]bool
	subnets []netip.Prefix
}

// landscapeOf returns who has which address, and the networks of the
// installation. Not ok when a part is missing that could have more.
func landscapeOf(inv *inventory) (land landscape, ok bool) {
	if inv.hypervisor() == nil || !inv.allGuests() {
		return landscape{}, false
	}
	land = landscape{known: map[netip.Addr]bool{}}
	for _, keys := range [][]string{
		{"network", "default_subnet"}, {"network", "internal_bridge", "subnet"}, {"network", "interfaces", "address"},
		{"network", "internal_bridge", "address"},
	} {
		if p, err := parsePrefix(inv.setting(keys...).Str()); err == nil {
			land.add(p)
		}
	}
	others := []*jsontree.Node{inv.setting("network", "interfaces", "gateway"), inv.setting("network", "nfs_server")}
	for _, n := range append(others, inv.setting("dns_server", "upstream_servers").List()...) {
		land.has(n)
	}
	for _, g := range inv.guests {
		for _, n := range g.networks {
			if n.prefix.IsValid() {
				land.add(n.prefix)
			}
			land.has(n.node.Get("gw"))
		}
	}
	return land, true
}

// add takes an address with its network: the network counts, and the address
// too unless it is the network's own.
func (l *landscape) add(p netip.Prefix) {
	if p.Bits() >= 8 && !p.IsSingleIP() {
		l.subnets = append(l.subnets, p.Masked())
	}
	if p.Addr() != p.Masked().Addr() || p.IsSingleIP() {
		l.known[p.Addr()] = true
	}
}

// has takes the address of something that is no guest.
func (l *landscape) has(n *jsontree.Node) {
	if a, err := netip.ParseAddr(n.Str()); err == nil {
		l.known[a] = true
	}
}

// stale reports whether an address lies in one of the networks and belongs to
// nobody.
func (l *landscape) stale(a netip.Addr) bool {
	if l.known[a] {
		return false
	}
	for _, s := range l.subnets {
		if s.Contains(a) {
			return a != s.Addr() && s.Contains(a.Next()) // neither the network itself nor its broadcast
		}
	}
	return false
}

// ruleAddresses reports every address, wherever it stands, that lies in a
// network of the installation and belongs to no guest.
func ruleAddresses(inv *inventory) []Problem {
	land, ok := landscapeOf(inv)
	if !ok {
		return nil
	}
	var out []Problem
	for _, d := range inv.docs {
		d.root.Walk(func(n *jsontree.Node) {
			if n.Kind != jsontree.String {
				return
			}
			for _, a := range addressesIn(n.Text) {
				if land.stale(a) {
					out = append(out, problem(Error, d.at(n), "write the address that the guest has now", "%s belongs to no guest", a))
				}
			}
		})
	}
	return out
}

// addressesIn returns the addresses that a value is or lists, or the one in its
// URL. Texts that merely mention one are not values.
func addressesIn(s string) []netip.Addr {
	if len(s) > 2000 || !strings.ContainsAny(s, ".:") {
		return nil
	}
	if strings.Contains(s, "://") {
		u, err := url.Parse(s)
		if err != nil {
			return nil
		}
		s = u.Hostname()
	}
	var out []netip.Addr
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := parsePrefix(part)
		if err != nil {
			return nil
		}
		if p.IsSingleIP() {
			out = append(out, p.Addr())
		}
	}
	return out
}

// ruleNameservers reports nameservers that are guests, while the resolver runs
// on the hypervisor.
func ruleNameservers(inv *inventory) []Problem {
	if !inv.setting("dns_server", "enabled").True() {
		return nil
	}
	var out []Problem
	h := inv.hypervisor()
	for _, n := range h.root.Get("network", "interfaces", "dns_nameservers").List() {
		a, err := netip.ParseAddr(n.Str())
		if err != nil {
			continue
		}
		for _, g := range inv.guests {
			if g.address() == a && !g.has("dns_server") {
				out = append(out, problem(Warn, h.at(n), "ask the hypervisor's own address",
					"%s is guest %s (%s), while the resolver runs on the hypervisor", a, clip(g.id), clip(g.name)))
			}
		}
	}
	return out
}
