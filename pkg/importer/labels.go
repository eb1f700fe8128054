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

// target is where the labels of a container say that a service listens.
type target struct{ port, scheme string }

// targetsOf returns the services of labels by their names.
func targetsOf(labels []label) map[string]target {
	out := map[string]target{}
	for _, l := range labels {
		name, option, ok := option(l.key, "services")
		t := out[name]
		switch {
		case !ok:
			continue
		case option == "loadbalancer.server.port":
			t.port = l.value
		case option == "loadbalancer.server.scheme":
			t.scheme = l.value
		}
		out[name] = t
	}
	return out
}

// target returns the service that a router leads to: the named one, the one
// called like the router, or the only one.
func (r router) target(targets map[string]target) target {
	for _, name := range []string{strings.ToLower(r.service), r.name} {
		if t := targets[name]; name != "" && t.port != "" {
			return t
		}
	}
	if len(targets) == 1 && r.service == "" {
		for _, t := range targets {
			return t
		}
	}
	return target{}
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
	hostMatcher = regexp.MustCompile(`(?i)\bHost\(([^)]*)\)`)
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

// variablesOf returns the variables of an environment.
func variablesOf(environment *jsontree.Node) map[string]string {
	out := map[string]string{}
	for _, v := range environment.Get("variables").List() {
		out[v.Get("name").Str()] = v.Get("value").Scalar()
	}
	return out
}

// expand replaces variables by their values; unknown ones stay as they are.
func expand(s string, variables map[string]string) string {
	return variable.ReplaceAllStringFunc(s, func(m string) string {
		if value, ok := variables[variable.FindStringSubmatch(m)[1]]; ok {
			return value
		}
		return m
	})
}
