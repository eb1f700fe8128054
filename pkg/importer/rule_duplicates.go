package importer

import (
	"fmt"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// register remembers who was first to have a value that nobody else may have.
type register struct {
	what     string
	first    map[string]place
	problems []Problem
}

func newRegister(what string) *register { return &register{what: what, first: map[string]place{}} }

// take reports a value that somebody has already.
func (r *register) take(value string, at place) {
	if value == "" {
		return
	}
	if other, taken := r.first[value]; taken {
		r.problems = append(r.problems, problem(Error, at, "give one of the two another",
			"%s %s is also that of %s %s", r.what, clip(value), other.file, other.path))
		return
	}
	r.first[value] = at
}

// ruleDuplicates reports what must be unique and is not.
func ruleDuplicates(inv *inventory) []Problem {
	var out []Problem
	for _, find := range []func(*inventory) []*register{guestRegisters, certificateRegisters, otherRegisters} {
		for _, r := range find(inv) {
			out = append(out, r.problems...)
		}
	}
	return append(out, statedTwice(inv)...)
}

func guestRegisters(inv *inventory) []*register {
	ids, names, addresses, macs, services := newRegister("id"), newRegister("name"), newRegister("address"),
		newRegister("MAC address"), newRegister("service name")
	if h := inv.hypervisor(); h != nil {
		n := h.root.Get("network", "interfaces", "address")
		if p, err := parsePrefix(n.Str()); err == nil {
			addresses.take(p.Addr().String(), h.at(n))
		}
	}
	for _, g := range inv.guests {
		idAt := g.doc.at(g.node)
		if g.vm {
			idAt = g.doc.key(g.node, "vmid")
		}
		ids.take(g.id, idAt)
		names.take(g.hostName(), g.doc.key(g.node, "name"))
		services.take(strings.ToLower(g.service().Get("name").Str()), g.doc.key(g.node.Get("traefik_service"), "name"))
		for _, n := range g.networks {
			if n.prefix.IsValid() {
				addresses.take(n.prefix.Addr().String(), g.doc.key(n.node, "ip"))
			}
		}
		for _, n := range macsOf(g) {
			macs.take(strings.ToLower(n.Str()), g.doc.at(n))
		}
	}
	return []*register{ids, names, addresses, macs, services}
}

// macsOf returns the MAC addresses of a guest, each once.
func macsOf(g *guest) []*jsontree.Node {
	var out []*jsontree.Node
	seen := map[string]bool{}
	candidates := []*jsontree.Node{g.node.Get("mac_address")}
	for _, n := range g.networks {
		candidates = append(candidates, n.node.Get("hwaddr"))
	}
	for _, n := range candidates {
		if mac := strings.ToLower(n.Str()); mac != "" && !seen[mac] {
			seen[mac] = true
			out = append(out, n)
		}
	}
	return out
}

// statedTwice reports a MAC address that a guest states in two places: once too
// often when they agree, and a mistake when they don't.
func statedTwice(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		a, b := g.node.Get("mac_address"), g.node.Get("network_config", "hwaddr")
		switch {
		case a.Str() == "" || b.Str() == "":
		case strings.EqualFold(a.Str(), b.Str()):
			path := b.Path() + " + " + a.Path()
			out = append(out, problem(Info, g.doc.named(b, path), "keep one", "the same MAC address is stated twice"))
		default:
			out = append(out, problem(Error, g.doc.at(b), "keep the right one", "%s, while mac_address is %s", clip(b.Str()), clip(a.Str())))
		}
	}
	return out
}

func certificateRegisters(inv *inventory) []*register {
	names, paths := newRegister("common name"), newRegister("file")
	for _, c := range inv.certs {
		names.take(strings.ToLower(c.cn), c.doc.key(c.node, "common_name"))
		paths.take(c.node.Get("cert_path").Str(), c.doc.key(c.node, "cert_path"))
		paths.take(c.node.Get("key_path").Str(), c.doc.key(c.node, "key_path"))
	}
	return []*register{names, paths}
}

func otherRegisters(inv *inventory) []*register {
	stacks, endpoints, hypervisors := newRegister("stack"), newRegister("endpoint"), newRegister("file of kind")
	for _, s := range inv.stacks {
		stacks.take(s.name, s.doc.at(s.node))
	}
	for _, d := range inv.of(endpointsFile) {
		for _, n := range d.root.Get("endpoints").List() {
			endpoints.take(n.Get("Name").Str(), d.key(n, "Name"))
		}
	}
	for _, d := range inv.of(hypervisorFile) {
		hypervisors.take(fmt.Sprint(d.kind), d.at(d.root))
	}
	return []*register{stacks, endpoints, hypervisors}
}
