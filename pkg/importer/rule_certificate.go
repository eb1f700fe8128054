package importer

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// ruleCertificates reports what is wrong with the names and uses of certificates
// in the manifest.
func ruleCertificates(inv *inventory) []Problem {
	var out []Problem
	hosts := servedHosts(inv)
	for _, c := range inv.certs {
		out = append(out, commonName(inv, c, hosts)...)
		out = append(out, certificateNames(c)...)
		out = append(out, certificateUse(inv, c)...)
	}
	return out
}

// commonName reports a name that is no host, or that nobody answers under.
func commonName(inv *inventory, c *certificate, hosts map[string]bool) []Problem {
	at := c.doc.key(c.node, "common_name")
	cn := strings.ToLower(c.cn)
	if cn == "" {
		return []Problem{problem(Error, at, "give it one", "the certificate has no name")}
	}
	var out []Problem
	plainName := strings.TrimPrefix(cn, "*.")
	if name.Domain(plainName) != nil || !strings.Contains(plainName, ".") {
		out = append(out, problem(Warn, at, "use a host name below "+inv.domain, "%q is not a host name", clip(c.cn)))
	}
	if len(inv.guests) > 0 && !hosts[cn] && !strings.HasPrefix(cn, "*.") {
		out = append(out, problem(Warn, at, "remove the entry, or name what it is for",
			"%s is neither a route nor a guest nor the CA", clip(c.cn)))
	}
	return out
}

// servedHosts returns the hosts under which something answers: routes, guests,
// what guests are for, and the CA.
func servedHosts(inv *inventory) map[string]bool {
	hosts := map[string]bool{strings.ToLower(inv.setting("step_ca", "dns_name").Str()): true}
	for _, c := range inv.claims() {
		hosts[c.hostIn(inv.domain)] = true
	}
	for _, g := range inv.guests {
		hosts[g.hostName()+"."+inv.domain] = true
		for _, f := range g.node.Get("features").List() {
			hosts[strings.ToLower(f.Str())+"."+inv.domain] = true
		}
	}
	for _, z := range inv.setting("dns_server", "authoritative_zones").List() {
		for _, r := range z.Get("records").List() {
			hosts[strings.ToLower(r.Get("hostname").Str()+"."+z.Get("zone_name").Str())] = true
		}
	}
	return hosts
}

// certificateNames reports alternative names that lack the common name, or that
// cannot be names.
func certificateNames(c *certificate) []Problem {
	var out []Problem
	for _, n := range c.sans {
		san := strings.ToLower(strings.TrimPrefix(n.Str(), "*."))
		if _, err := netip.ParseAddr(san); err != nil && name.Domain(san) != nil {
			out = append(out, problem(Error, c.doc.at(n), "write a host name or an address", "%q is neither", clip(n.Scalar())))
		}
	}
	if len(c.sans) > 0 && c.cn != "" && !c.covers(c.cn) {
		out = append(out, problem(Error, c.doc.key(c.node, "sans"), "add the common name to the list",
			"%s is not among the names, and once there are any, clients ignore the common name", clip(c.cn)))
	}
	return out
}

// certificateUse reports a client's certificate that does not say so, and an
// entry whose guest is of another kind than stated.
func certificateUse(inv *inventory, c *certificate) []Problem {
	var out []Problem
	label, _, _ := strings.Cut(strings.ToLower(c.cn), ".")
	client := slices.Contains(strings.FieldsFunc(label, func(r rune) bool { return r == '-' || r == '_' }), "client")
	if client && c.node.Get("cert_type").Str() == "" {
		out = append(out, problem(Warn, c.doc.at(c.node), "add cert_type client", "%s reads like a client's certificate, but has no cert_type", clip(c.cn)))
	}
	stated := c.node.Get("guest_type")
	if g := inv.guest(c.node.Get("guest_id").Scalar()); g != nil && stated.Str() != "" && stated.Str() != g.kind() {
		out = append(out, problem(Error, c.doc.at(stated), "write "+g.kind(), "guest %s is of kind %s, not %s", clip(g.id), g.kind(), clip(stated.Str())))
	}
	for _, key := range []string{"cert_path", "key_path"} {
		if n := c.node.Get(key); n.Str() == "" && !is(n, jsontree.Object) {
			out = append(out, problem(Error, c.doc.key(c.node, key), "say where it is kept", "is missing"))
		}
	}
	return out
}
