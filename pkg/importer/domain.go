package importer

import (
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// chooseDomain returns the domain below which the older system really publishes:
// the one under which most of the services are mentioned anywhere (in DNS
// records, certificates, labels). The domain that the hypervisor file states wins
// when no other has more.
func chooseDomain(inv *inventory) string {
	labels := map[string]bool{}
	for _, g := range inv.guests {
		if n := g.service().Get("name").Str(); n != "" {
			labels[strings.ToLower(n)] = true
		}
	}
	stated := strings.ToLower(inv.setting("domain_name").Str())
	votes := map[string]int{}
	for _, host := range mentioned(inv) {
		label, parent, ok := strings.Cut(host, ".")
		if ok && strings.Contains(parent, ".") && name.Domain(parent) == nil {
			votes[parent] += 0
			if labels[label] {
				votes[parent]++
			}
		}
	}
	best := ""
	if name.Domain(stated) == nil {
		best = stated
	}
	for _, candidate := range sortedKeys(votes) {
		switch {
		case best == "", votes[candidate] > votes[best]:
			best = candidate
		case best != stated && votes[candidate] == votes[best] && strings.HasSuffix(best, "."+candidate):
			best = candidate // the wider one holds both
		}
	}
	if best == "" {
		return config.Default().Domain
	}
	return best
}

// mentioned returns every host that the files mention as one, in lower case and
// without repetitions.
func mentioned(inv *inventory) []string {
	seen := map[string]bool{}
	add := func(h string) {
		if h = strings.ToLower(strings.TrimPrefix(h, "*.")); name.Domain(h) == nil {
			seen[h] = true
		}
	}
	for _, z := range inv.setting("dns_server", "authoritative_zones").List() {
		for _, r := range z.Get("records").List() {
			add(r.Get("hostname").Str() + "." + z.Get("zone_name").Str())
		}
	}
	add(inv.setting("step_ca", "dns_name").Str())
	add(inv.setting("portainer_api", "portainer_hostname").Str())
	for _, c := range inv.certs {
		add(c.cn)
		for _, san := range c.sans {
			add(san.Str())
		}
	}
	for _, g := range inv.guests {
		add(g.node.Get("portainer_agent_hostname").Str())
	}
	for _, s := range inv.stacks {
		s.node.Walk(func(n *jsontree.Node) {
			if n.Kind == jsontree.String {
				for _, h := range ruleHosts(n.Text) {
					add(h)
				}
			}
		})
	}
	return sortedKeys(seen)
}

// ruleDomain reports a stated domain under which the services are not published.
func ruleDomain(inv *inventory) []Problem {
	h := inv.hypervisor()
	if h == nil {
		return unstatedDomain(inv)
	}
	n := h.root.Get("domain_name")
	stated := strings.ToLower(n.Str())
	at := h.key(h.root, "domain_name")
	switch {
	case stated == "":
		return []Problem{problem(Warn, at, "state the domain of the services", "no domain is stated; services are published below %s", inv.domain)}
	case name.Domain(stated) != nil:
		return []Problem{problem(Error, at, "write a DNS name such as lab.example.org", "%v", name.Domain(stated))}
	case stated != inv.domain:
		return []Problem{problem(Error, at, "state the domain that the services use, or move the services",
			"%s is stated, while records, certificates or routes use %s; services are published below the latter", stated, inv.domain)}
	}
	return nil
}

// unstatedDomain tells which domain is used when no file says it.
func unstatedDomain(inv *inventory) []Problem {
	if len(inv.guests) == 0 && len(inv.stacks) == 0 {
		return nil
	}
	return []Problem{problem(Info, place{file: inv.docs[0].name}, "import the hypervisor's file together with this one",
		"no file states the domain; services are published below %s", inv.domain)}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
