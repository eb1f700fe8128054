package importer

import (
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

// ruleNames reports guests whose name has a dot: below the domain it is two
// levels deep, where a wildcard of one level does not reach.
func ruleNames(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		at := g.doc.key(g.node, "name")
		switch {
		case strings.Contains(g.name, "."):
			out = append(out, problem(Warn, at, "use a hyphen",
				"%s.%s is two levels below the domain: no wildcard certificate covers it", clip(g.hostName()), inv.domain))
		case g.name != "" && name.Service(g.hostName()) != nil:
			out = append(out, problem(Warn, at, "use letters, digits and hyphens", "%q is not a host name", clip(g.name)))
		}
	}
	return out
}

// ruleServices reports what is wrong with the services of guests.
func ruleServices(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		if svc := g.service(); svc != nil {
			out = append(out, backendProblems(g)...)
			out = append(out, nameProblems(g, inv.domain)...)
			out = append(out, bootProblems(g)...)
			out = append(out, portMaps(g)...)
		}
		if n := g.node.Get("portainer_agent_hostname"); n.Str() != "" && !g.address().IsValid() {
			out = append(out, problem(Error, g.doc.at(n), "give the guest a static address", "the guest has no static address to route to"))
		}
	}
	return out
}

// backendProblems reports services that cannot be reached as declared.
func backendProblems(g *guest) []Problem {
	var out []Problem
	svc := g.service()
	if !g.address().IsValid() {
		hint := "give the guest a static address"
		if len(g.networks) > 1 && g.networks[1].prefix.IsValid() {
			hint += ", or publish " + g.networks[1].prefix.Addr().String() + " by hand, which its second interface has"
		}
		out = append(out, problem(Error, g.doc.at(svc), hint, "the service has no address: the guest's is %q",
			clip(g.node.Get("network_config", "ip").Scalar())))
	}
	at := g.doc.key(svc, "port")
	if port, ok := svc.Get("port").Int(); !ok || port < 1 || port > 65535 {
		out = append(out, problem(Error, at, "write a number from 1 to 65535", "%q is not a port", clip(svc.Get("port").Scalar())))
	}
	scheme := svc.Get("scheme")
	switch strings.ToLower(scheme.Str()) {
	case "", "http":
	case "https":
		if !g.vm {
			out = append(out, problem(Error, g.doc.at(scheme), "https is honoured from now on: the service has to speak it",
				"https is declared, but the older system always speaks http to a container"))
		}
	default:
		out = append(out, problem(Error, g.doc.at(scheme), "write http or https", "%q is neither http nor https", clip(scheme.Str())))
	}
	return out
}

// nameProblems reports names of services that lead to unexpected hosts.
func nameProblems(g *guest, domain string) []Problem {
	svc := g.service()
	n := svc.Get("name")
	at := g.doc.key(svc, "name")
	switch label := strings.ToLower(n.Str()); {
	case label == "":
		return []Problem{problem(Error, at, "give it one", "the service has no name")}
	case strings.Contains(label, "."):
		return []Problem{problem(Error, at, "use a hyphen",
			"%s.%s is two levels below the domain: no wildcard certificate covers it", clip(label), domain)}
	case n.Str() != label:
		return []Problem{problem(Warn, at, "write it in lower case", "%q has upper-case letters; hosts have none", clip(n.Str()))}
	case name.Service(label) != nil:
		return []Problem{problem(Error, at, "use letters, digits and hyphens", "%q is not a host name", clip(n.Str()))}
	}
	return nil
}

func bootProblems(g *guest) []Problem {
	if g.boots() {
		return nil
	}
	return []Problem{problem(Warn, g.doc.key(g.node, "start_at_boot"), "start the guest at boot, or remove the service",
		"service %s is routed, but its guest does not start at boot", clip(g.service().Get("name").Str()))}
}

// portMaps reports a map whose host port is not the one that the service states.
func portMaps(g *guest) []Problem {
	port := g.service().Get("port").Scalar()
	for _, n := range g.node.Get("ports").List() {
		host, container, ok := strings.Cut(n.Str(), ":")
		if ok && container == port && host != port {
			return []Problem{problem(Info, g.doc.key(g.node, "ports"), "", "port %s is mapped to %s, but the service states %s", clip(host), clip(container), clip(port))}
		}
	}
	return nil
}

// ruleLabels reports labels of containers that mean nothing in the new stack or
// are not complete.
func ruleLabels(inv *inventory) []Problem {
	var out []Problem
	for _, s := range inv.stacks {
		for _, env := range s.node.Get("environments").Values() {
			for _, svc := range env.Get("services").Values() {
				labels := labelsOf(svc)
				out = append(out, foreignParts(s, labels)...)
				targets := targetsOf(labels)
				for _, r := range routersOf(labels) {
					out = append(out, routerProblems(s, r, r.target(targets))...)
				}
			}
		}
	}
	return out
}

// foreignParts reports references to parts of Traefik's configuration that are
// defined in none of the files.
func foreignParts(s *stack, labels []label) []Problem {
	var out []Problem
	for _, l := range labels {
		_, option, ok := option(l.key, "routers")
		switch {
		case !ok:
		case option == "tls.certresolver":
			out = append(out, problem(Error, s.doc.at(l.node), "remove the label: every host gets its certificate from the stack's CA",
				"certificate resolver %s is defined nowhere in these files: the router has no certificate", clip(l.value)))
		case option == "entrypoints":
			out = append(out, problem(Warn, s.doc.at(l.node), "remove the label: every host is served over HTTPS on the stack's own entry point",
				"entry point %s is defined nowhere in these files", clip(l.value)))
		case option == "middlewares":
			out = append(out, problem(Warn, s.doc.at(l.node), "do it in the service itself", "middlewares are not taken over: %s", clip(l.value)))
		}
	}
	return out
}

// routerProblems reports a router that names no host, more than hosts, or no
// port.
func routerProblems(s *stack, r router, t target) []Problem {
	var out []Problem
	at := s.doc.at(r.rule)
	switch {
	case r.rule == nil:
	case len(r.hosts) == 0:
		out = append(out, problem(Error, at, "write Host(`name.domain`)", "the rule names no host, so nothing can be published"))
	case r.more:
		out = append(out, problem(Warn, at, "let the service sort its paths", "only the hosts of the rule are taken over: each is routed as a whole"))
	}
	if t.port == "" && len(r.hosts) > 0 {
		out = append(out, problem(Error, at, "add the label traefik.http.services.NAME.loadbalancer.server.port", "no port is given for router %s", clip(r.name)))
	}
	return out
}

// ruleCAName reports a route to the certificate authority through the proxy: its
// name then leads to the proxy, which needs the authority to start.
func ruleCAName(inv *inventory) []Problem {
	var out []Problem
	cas := inv.cas()
	stated := strings.ToLower(inv.setting("step_ca", "dns_name").Str())
	for _, g := range inv.guests {
		svc := g.service()
		if svc == nil {
			continue
		}
		host := strings.ToLower(svc.Get("name").Str()) + "." + inv.domain
		if slices.Contains(cas, g) || host == stated {
			out = append(out, problem(Error, g.doc.at(svc), "let the CA's name lead to the CA itself",
				"%s leads to the proxy, while the CA listens on %s", clip(host), g.address()))
		}
	}
	return out
}

// ruleCoverage reports routes that no certificate of the manifest is good for,
// and https backends without a certificate of their own.
func ruleCoverage(inv *inventory) []Problem {
	if len(inv.certs) == 0 {
		return nil
	}
	var out []Problem
	certs := coverageOf(inv.certs)
	for _, c := range inv.claims() {
		host := c.hostIn(inv.domain)
		if c.guest == nil || c.name == "" {
			continue
		}
		at := c.at
		if c.doc == c.guest.doc {
			at.path = "guest " + clip(c.guest.id)
		}
		if !certs.covers(host) {
			out = append(out, problem(Error, at, "none needed from now on: each host gets a certificate of its own",
				"no certificate of the manifest is good for %s", clip(host)))
		}
		if c.declared && c.backend.Scheme == "https" && !certs.has(c.guest.id, host) {
			out = append(out, problem(Error, at, "give the service a certificate, or declare http",
				"https is declared for %s:%d, but no certificate of the manifest goes to guest %s", clip(host), c.backend.Port, clip(c.guest.id)))
		}
	}
	return out
}

// coverage is what the certificates of the manifest are good for.
type coverage struct {
	// names of server certificates, wildcards as they are.
	names map[string]bool
	// hosts and guests that have a certificate of their own.
	hosts, guests map[string]bool
}

func coverageOf(certs []*certificate) coverage {
	c := coverage{names: map[string]bool{}, hosts: map[string]bool{}, guests: map[string]bool{}}
	for _, cert := range certs {
		c.guests[cert.guestID()] = true
		c.hosts[strings.ToLower(cert.cn)] = true
		for _, n := range cert.names() {
			n = strings.ToLower(n)
			c.hosts[n] = true
			if !cert.client() {
				c.names[n] = true
			}
		}
	}
	return c
}

// covers reports whether a server certificate is good for the host.
func (c coverage) covers(host string) bool {
	_, above, _ := strings.Cut(host, ".")
	return c.names[host] || c.names["*."+above]
}

// has reports whether a certificate goes to the guest, or carries exactly the
// host.
func (c coverage) has(guest, host string) bool { return c.guests[guest] || c.hosts[host] }

// guestID returns the guest that a certificate goes to: the stated one or the
// one that its command enters.
func (c *certificate) guestID() string {
	if id := c.node.Get("guest_id").Scalar(); id != "" {
		return id
	}
	if m := entered.FindStringSubmatch(c.command); m != nil {
		return m[2]
	}
	return ""
}
