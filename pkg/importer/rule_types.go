package importer

import (
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// ruleTypes reports values whose JSON type is not the one that is read.
func ruleTypes(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		switch d.kind {
		case lxcFile:
			out = append(out, entryTypes(d, d.root.Get("lxc_configs"), lxcFields)...)
		case vmFile:
			out = append(out, entryTypes(d, d.root.Get("vms"), vmFields)...)
		case stacksFile:
			out = append(out, entryTypes(d, d.root.Get("docker_stacks"), stackFields)...)
		case manifestFile:
			out = append(out, entryTypes(d, d.root, certificateFields)...)
		case hypervisorFile:
			out = append(out, fieldTypes(d, d.root, map[string]field{
				"domain_name": text(), "network": block(), "shared_volumes": block(), "firewall": block(),
				"proxmox_storage_ids": block(), "dns_server": block(), "step_ca": block(), "portainer_api": block(),
			})...)
		case stackFile:
			out = append(out, fieldTypes(d, d.root, stackFields)...)
		case endpointsFile:
		}
	}
	return out
}

// entryTypes checks each entry of an object or list of objects.
func entryTypes(d *document, entries *jsontree.Node, known map[string]field) []Problem {
	var out []Problem
	for _, n := range entries.Items {
		if n.Kind != jsontree.Object {
			out = append(out, wrongType(d, n, jsontree.Object))
			continue
		}
		out = append(out, fieldTypes(d, n, known)...)
		for key, nested := range nestedFields {
			if v := n.Get(key); is(v, jsontree.Object) {
				out = append(out, fieldTypes(d, v, nested)...)
			}
		}
	}
	return out
}

func fieldTypes(d *document, n *jsontree.Node, known map[string]field) []Problem {
	var out []Problem
	for i, key := range n.Keys {
		f, ok := known[key]
		if v := n.Items[i]; ok && v.Kind != jsontree.Null && !slices.Contains(f.kinds, v.Kind) {
			out = append(out, wrongType(d, v, f.kinds...))
		}
	}
	return out
}

func wrongType(d *document, n *jsontree.Node, wanted ...jsontree.Kind) Problem {
	names := make([]string, len(wanted))
	for i, k := range wanted {
		names[i] = string(k)
	}
	return problem(Error, d.at(n), "write a value of that type", "is of type %s; %s expected", n.Kind, strings.Join(names, " or "))
}
