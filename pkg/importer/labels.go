package importer

import (
	"regexp"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// label is one Traefik label of a stack's container, as key=value.
type label struct {
	node       *jsontree.Node
	key, value string
}

// labelsOf returns the Traefik labels of a container.
func labelsOf(service *jsontree.Node) []label {
	var out []label
	for _, n := range service.Get("traefik_labels").List() {
		if key, value, ok := strings.Cut(n.Str(), "="); ok {
			out = append(out, label{node: n, key: strings.TrimSpace(key), value: strings.TrimSpace(value)})
		}
	}
	return out
}

// router is what the labels of a container say about one router.
type router struct {
	name, service string
	hosts         []string
	rule          *jsontree.Node
	// more says that the rule asks for more than a host.
	more bool
}

// routersOf returns the routers of labels in the order in which they appear.
func routersOf(labels []label) []router {
	var out []router
	index := map[string]int{}
	for _, l := range labels {
		name, option, ok := option(l.key, "routers")
		if !ok {
			continue
		}
		i, known := index[name]
		if !known {
			i = len(out)
			index[name] = i
			out = append(out, router{name: name})
		}
		switch option {
		case "rule":
			out[i].rule, out[i].hosts, out[i].more = l.node, ruleHosts(l.value), beyondHost.MatchString(l.value)
		case "service":
			out[i].service = l.value
		}
	}
	return out
}

// backendOf returns port and scheme of the service that a router leads to: the
// named one, the one called like the router, or the only one.
func backendOf(labels []label, r router) (port, scheme string) {
	ports, schemes := map[string]string{}, map[string]string{}
	for _, l := range labels {
		name, option, ok := option(l.key, "services")
		switch {
		case !ok:
		case option == "loadbalancer.server.port":
			ports[name] = l.value
		case option == "loadbalancer.server.scheme":
			schemes[name] = l.value
		}
	}
	for _, name := range []string{r.service, r.name} {
		if p, ok := ports[name]; ok && name != "" {
			return p, schemes[name]
		}
	}
	if len(ports) == 1 && r.service == "" {
		for name, p := range ports {
			return p, schemes[name]
		}
	}
	return "", ""
}

// option splits a key such as traefik.http.routers.NAME.tls.certresolver.
func option(key, section string) (name, rest string, ok bool) {
	tail, ok := strings.CutPrefix(strings.ToLower(key), "traefik.http."+section+".")
	if !ok {
		return "", "", false
	}
	return strings.Cut(tail, ".")
}

var (
	hostMatcher = regexp.MustCompile("(?i)\\bHost\\(([^)]*)\\)")
	quoted      = regexp.MustCompile("[`\"']([^`\"']*)[`\"']")
	beyondHost  = regexp.MustCompile(`(?i)\b(HostRegexp|Path|PathPrefix|PathRegexp|Headers?|HeaderRegexp|HeadersRegexp|Query|Method|ClientIP)\(|!`)
)

// ruleHosts returns the hosts of a router's rule, Host(`a`) || Host(`b`).
func ruleHosts(rule string) []string {
	var out []string
	for _, m := range hostMatcher.FindAllStringSubmatch(rule, -1) {
		for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
			out = append(out, strings.ToLower(q[1]))
		}
	}
	return out
}

var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)

// expand replaces variables of an environment by their values; those that it
// does not have stay as they are.
func expand(s string, environment *jsontree.Node) string {
	return variable.ReplaceAllStringFunc(s, func(m string) string {
		name := variable.FindStringSubmatch(m)[1]
		for _, v := range environment.Get("variables").List() {
			if v.Get("name").Str() == name {
				return v.Get("value").Scalar()
			}
		}
		return m
	})
}
