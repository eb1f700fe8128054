package importer

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// inventory is all that the files say, in the order in which they say it.
type inventory struct {
	docs   []*document
	guests []*guest
	byID   map[string]*guest // the first with the id
	stacks []*stack
	certs  []*certificate
	// deployed is what guests run, by the name of the stack.
	deployed map[string][]deployment
	// domain below which services are published.
	domain string
}

// take builds the inventory of the documents.
func take(docs []*document) *inventory {
	inv := &inventory{docs: slices.Clone(docs), byID: map[string]*guest{}, deployed: map[string][]deployment{}}
	slices.SortStableFunc(inv.docs, func(a, b *document) int {
		return slices.Index(kinds(), a.kind) - slices.Index(kinds(), b.kind)
	})
	for _, d := range inv.docs {
		switch d.kind {
		case lxcFile, vmFile:
			inv.guests = append(inv.guests, guestsOf(d)...)
		case stacksFile, stackFile:
			inv.stacks = append(inv.stacks, stacksOf(d)...)
		case manifestFile:
			inv.certs = append(inv.certs, certificatesOf(d)...)
		case hypervisorFile, endpointsFile:
		}
	}
	for _, g := range inv.guests {
		if inv.byID[g.id] == nil {
			inv.byID[g.id] = g
		}
	}
	for _, d := range inv.deployments() {
		inv.deployed[d.stack] = append(inv.deployed[d.stack], d)
	}
	inv.domain = chooseDomain(inv)
	return inv
}

// of returns the documents of a kind.
func (inv *inventory) of(k kind) []*document {
	var out []*document
	for _, d := range inv.docs {
		if d.kind == k {
			out = append(out, d)
		}
	}
	return out
}

// hypervisor returns the first hypervisor file, nil when there is none.
func (inv *inventory) hypervisor() *document {
	if all := inv.of(hypervisorFile); len(all) > 0 {
		return all[0]
	}
	return nil
}

// setting returns a value of the hypervisor file, nil when it is not there.
func (inv *inventory) setting(keys ...string) *jsontree.Node {
	if h := inv.hypervisor(); h != nil {
		return h.root.Get(keys...)
	}
	return nil
}

// allGuests reports whether both files with guests are there, so that a guest
// that neither has does not exist.
func (inv *inventory) allGuests() bool {
	return len(inv.of(lxcFile)) > 0 && len(inv.of(vmFile)) > 0
}

// guest returns the first guest with the id, nil when there is none.
func (inv *inventory) guest(id string) *guest { return inv.byID[id] }

// cas returns the ids of the guests that run the certificate authority.
func (inv *inventory) cas() []*guest {
	var out []*guest
	for _, g := range inv.guests {
		if g.has("step_ca") {
			out = append(out, g)
		}
	}
	return out
}

// guest is a container or a virtual machine.
type guest struct {
	doc  *document
	node *jsontree.Node
	vm   bool
	id   string
	name string
	// networks are network_config and, where there is one, the second.
	networks []network
}

// network is one interface of a guest.
type network struct {
	node *jsontree.Node
	// prefix is the address and its network; not valid without a static one.
	prefix netip.Prefix
}

// guestsOf returns the guests of a file.
func guestsOf(d *document) []*guest {
	var out []*guest
	if d.kind == lxcFile {
		configs := d.root.Get("lxc_configs")
		for i, n := range configs.Values() {
			if n.Kind == jsontree.Object {
				out = append(out, newGuest(d, n, configs.Keys[i]))
			}
		}
		return out
	}
	for _, n := range d.root.Get("vms").List() {
		if n.Kind == jsontree.Object {
			out = append(out, newGuest(d, n, n.Get("vmid").Scalar()))
		}
	}
	return out
}

func newGuest(d *document, n *jsontree.Node, id string) *guest {
	g := &guest{doc: d, node: n, vm: d.kind == vmFile, id: id, name: n.Get("name").Str()}
	for _, key := range []string{"network_config", "secondary_network_config"} {
		if c := n.Get(key); is(c, jsontree.Object) {
			prefix, _ := parsePrefix(c.Get("ip").Str())
			g.networks = append(g.networks, network{node: c, prefix: prefix})
		}
	}
	return g
}

// kind returns what the older system calls the guest: lxc or vm.
func (g *guest) kind() string {
	if g.vm {
		return "vm"
	}
	return "lxc"
}

// address returns the static address of the first interface, not valid when it
// has none.
func (g *guest) address() netip.Addr {
	if len(g.networks) == 0 || g.networks[0].node.Key() != "network_config" {
		return netip.Addr{}
	}
	return g.networks[0].prefix.Addr()
}

// has reports whether the guest has a feature.
func (g *guest) has(feature string) bool {
	return slices.ContainsFunc(g.node.Get("features").List(), func(n *jsontree.Node) bool { return n.Str() == feature })
}

// boots reports whether the guest starts with the hypervisor.
func (g *guest) boots() bool { return g.node.Get("start_at_boot").True() }

// cloneKey returns the key that names the guest it is cloned from.
func (g *guest) cloneKey() string {
	if g.vm {
		return "clone_from_vmid"
	}
	return "clone_from_ctid"
}

// service returns the guest's traefik_service, nil when it has none.
func (g *guest) service() *jsontree.Node {
	if n := g.node.Get("traefik_service"); is(n, jsontree.Object) {
		return n
	}
	return nil
}

// hostName returns the name that the guest has in the network.
func (g *guest) hostName() string { return strings.ToLower(g.name) }

// stack is a set of containers that guests deploy.
type stack struct {
	doc  *document
	node *jsontree.Node
	name string
}

// stacksOf returns the stacks of a file: all of them, or the one it is.
func stacksOf(d *document) []*stack {
	if d.kind == stackFile {
		name := d.dir[strings.LastIndexByte(d.dir, '/')+1:]
		if name == "." || name == "" {
			name = strings.TrimSuffix(d.name[strings.LastIndexByte(d.name, '/')+1:], ".json")
		}
		return []*stack{{doc: d, node: d.root, name: name}}
	}
	var out []*stack
	configs := d.root.Get("docker_stacks")
	for i, n := range configs.Values() {
		if n.Kind == jsontree.Object {
			out = append(out, &stack{doc: d, node: n, name: configs.Keys[i]})
		}
	}
	return out
}

// deployment is a guest's wish to run a stack.
type deployment struct {
	guest       *guest
	node        *jsontree.Node
	stack       string
	environment string // empty: not said
}

// deployments returns what all guests deploy.
func (inv *inventory) deployments() []deployment {
	var out []deployment
	for _, g := range inv.guests {
		for _, n := range g.node.Get("docker_stacks").List() {
			d := deployment{guest: g, node: n, stack: n.Str()}
			if n.Kind == jsontree.Object {
				d.stack, d.environment = n.Get("name").Str(), n.Get("environment").Str()
			}
			if d.stack != "" {
				out = append(out, d)
			}
		}
	}
	return out
}

// certificate is an entry of the certificate manifest.
type certificate struct {
	doc     *document
	node    *jsontree.Node
	cn      string
	sans    []*jsontree.Node
	command string
}

func certificatesOf(d *document) []*certificate {
	var out []*certificate
	for _, n := range d.root.List() {
		if n.Kind == jsontree.Object {
			out = append(out, &certificate{
				doc: d, node: n, cn: n.Get("common_name").Str(), sans: n.Get("sans").List(),
				command: n.Get("post_renewal_command").Str(),
			})
		}
	}
	return out
}

// names returns what the certificate is good for: the SANs or, without any, the
// common name.
func (c *certificate) names() []string {
	if len(c.sans) == 0 {
		return []string{c.cn}
	}
	out := make([]string, len(c.sans))
	for i, n := range c.sans {
		out[i] = n.Str()
	}
	return out
}

// covers reports whether the certificate is good for a host.
func (c *certificate) covers(host string) bool {
	return slices.ContainsFunc(c.names(), func(san string) bool { return covered(host, san) })
}

// client reports whether the certificate says that it is a client's.
func (c *certificate) client() bool { return c.node.Get("cert_type").Str() == "client" }

// covered reports whether a name or a wildcard of one level is good for a host.
func covered(host, san string) bool {
	host, san = strings.ToLower(host), strings.ToLower(san)
	if rest, wild := strings.CutPrefix(san, "*."); wild {
		_, above, ok := strings.Cut(host, ".")
		return ok && above == rest
	}
	return host == san
}

// parsePrefix reads an address with or without the length of its network.
func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
