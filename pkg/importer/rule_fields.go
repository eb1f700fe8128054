package importer

import (
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

// ruleFields reports fields that the older system's own schema does not have: a
// misspelled one where it stands, and one that some entries carry and others do
// not once for the file.
func ruleFields(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		switch d.kind {
		case lxcFile:
			out = append(out, unknownFields(d, d.root.Get("lxc_configs"), lxcFields)...)
		case vmFile:
			out = append(out, unknownFields(d, d.root.Get("vms"), vmFields)...)
		case stacksFile:
			out = append(out, unknownFields(d, d.root.Get("docker_stacks"), stackFields)...)
		case hypervisorFile, stackFile, manifestFile, endpointsFile:
		}
	}
	return out
}

func unknownFields(d *document, entries *jsontree.Node, known map[string]field) []Problem {
	var out []Problem
	var names []string
	carriers := map[string][]*jsontree.Node{}
	for _, n := range entries.Items {
		if n.Kind != jsontree.Object {
			continue
		}
		for i, key := range n.Keys {
			f, ok := known[key]
			if ok && !f.later {
				continue
			}
			if near := nearest.Of(key, sortedKeys(known)); !ok && near != "" {
				out = append(out, problem(Warn, d.at(n.Items[i]), "spell it "+near, "unknown field; did you mean %q?", near))
				continue
			}
			if carriers[key] == nil {
				names = append(names, key)
			}
			carriers[key] = append(carriers[key], n)
		}
	}
	total := len(entries.Items)
	for _, key := range names {
		with := carriers[key]
		if len(with) == total {
			continue // the convention of this file
		}
		path := fmt.Sprintf("%s (%d of %d)", clip(key), len(with), total)
		out = append(out, problem(Warn, d.named(with[0].Get(key), path), "check that the others do without it on purpose",
			"the older system's schema does not know this field, and only some entries have it, first %s", with[0].Path()))
	}
	return out
}
