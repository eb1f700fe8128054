package importer

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// claim is a host that the older system routes to something.
type claim struct {
	// name of the service as written, and what else it may be called.
	name, otherName string
	// host as written; empty stands for the name below the domain.
	host    string
	backend config.Backend
	// declared says that the scheme was written and not guessed.
	declared bool
	guest    *guest
	doc      *document
	at       place
	// why it cannot be served, as far as that shows at once.
	why string
}

// hostIn returns the host of the claim, in lower case.
func (c *claim) hostIn(domain string) string {
	if c.host != "" {
		return strings.ToLower(c.host)
	}
	return strings.ToLower(c.name) + "." + domain
}

// claims returns every claim. The order decides who keeps a host that two want:
// a guest's own service, then the management agents, then labels of containers.
func (inv *inventory) claims() []*claim {
	var out []*claim
	for _, g := range inv.guests {
		if svc := g.node.Get("traefik_service"); svc != nil {
			out = append(out, guestClaim(g, svc))
		}
	}
	for _, g := range inv.guests {
		if n := g.node.Get("portainer_agent_hostname"); n.Str() != "" {
			out = append(out, agentClaim(inv, g, n))
		}
	}
	for _, s := range inv.stacks {
		out = append(out, stackClaims(inv, s)...)
	}
	return out
}

// guestClaim reads a guest's traefik_service.
func guestClaim(g *guest, svc *jsontree.Node) *claim {
	c := &claim{
		name: svc.Get("name").Str(), otherName: svc.Get("name").Str() + "-" + g.id,
		guest: g, doc: g.doc, at: g.doc.at(svc),
	}
	if svc.Kind != jsontree.Object {
		c.name, c.why = g.name, "traefik_service is no object"
		return c
	}
	if c.name == "" {
		c.name, c.otherName, c.why = g.name, g.name+"-"+g.id, "the service has no name"
	}
	port := svc.Get("port").Scalar()
	scheme := strings.ToLower(svc.Get("scheme").Str())
	c.listen(g.address(), port, scheme)
	return c
}

// agentClaim reads the route to a guest's management agent, which speaks TLS.
func agentClaim(inv *inventory, g *guest, n *jsontree.Node) *claim {
	port := inv.setting("network", "portainer_agent_port").Scalar()
	if port == "" {
		port = "9001"
	}
	c := &claim{
		name: g.name, otherName: g.name + "-agent", host: n.Str(),
		guest: g, doc: g.doc, at: g.doc.at(n),
	}
	c.listen(g.address(), port, "https")
	c.declared = false
	return c
}

// stackClaims reads the labels of the containers of a stack, in every
// environment that a guest deploys.
func stackClaims(inv *inventory, s *stack) []*claim {
	var out []*claim
	environments := s.node.Get("environments")
	for i, env := range environments.Values() {
		g := inv.deployer(s, environments.Keys[i])
		services := env.Get("services")
		for j, svc := range services.Values() {
			out = append(out, containerClaims(s, env, services.Keys[j], svc, g)...)
		}
	}
	return out
}

// containerClaims returns one claim per host of a container.
func containerClaims(s *stack, env *jsontree.Node, key string, svc *jsontree.Node, g *guest) []*claim {
	var out []*claim
	labels := labelsOf(svc)
	for _, l := range labels {
		if strings.EqualFold(l.key, "traefik.enable") && strings.EqualFold(l.value, "false") {
			return nil
		}
	}
	targets, variables := targetsOf(labels), variablesOf(env)
	for _, r := range routersOf(labels) {
		t := r.target(targets)
		for _, host := range r.hosts {
			c := &claim{
				name: key, otherName: s.name + "-" + key, host: expand(host, variables),
				guest: g, doc: s.doc, at: s.doc.at(svc),
			}
			if g == nil {
				c.why = "no guest in these files deploys stack " + clip(s.name) + " in environment " + clip(env.Key())
			} else {
				c.listen(g.address(), expand(t.port, variables), strings.ToLower(t.scheme))
			}
			out = append(out, c)
		}
	}
	return out
}

// deployer returns the guest that runs a stack's environment. A guest that names
// only the stack means its production, or its only environment.
func (inv *inventory) deployer(s *stack, environment string) *guest {
	for _, d := range inv.deployed[s.name] {
		wanted := d.environment
		if wanted == "" {
			wanted = defaultEnvironment(s)
		}
		if wanted == environment {
			return d.guest
		}
	}
	return nil
}

func defaultEnvironment(s *stack) string {
	environments := s.node.Get("environments")
	for _, usual := range []string{"production", "prod", "default"} {
		if environments.Has(usual) {
			return usual
		}
	}
	if environments != nil && len(environments.Keys) > 0 {
		return environments.Keys[0]
	}
	return ""
}

// speaksTLS tells what a service speaks on a port when nothing else is said.
func speaksTLS(port int) bool { return port == 443 || port == 8443 || port == 9443 }

// listen sets where the service listens, or why that is not known.
func (c *claim) listen(address netip.Addr, port, scheme string) {
	n, err := strconv.Atoi(port)
	c.declared = scheme != ""
	switch {
	case scheme == "" && speaksTLS(n):
		scheme = "https"
	case scheme == "":
		scheme = "http"
	}
	c.backend = config.Backend{Scheme: scheme, Port: n}
	if address.IsValid() {
		c.backend.Address = address.String()
	}
	switch {
	case c.why != "":
	case !address.IsValid():
		c.why = "guest " + clip(c.guest.id) + " has no static address"
	case err != nil || n < 1 || n > 65535:
		c.why = "port " + strconv.Quote(clip(port)) + " is not a number from 1 to 65535"
	case scheme != "http" && scheme != "https":
		c.why = "scheme " + strconv.Quote(clip(scheme)) + " is neither http nor https"
	}
}

// clip bounds foreign text in messages.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
