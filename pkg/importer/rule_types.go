package importer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// ruleTypes reports values whose JSON type is not the one that is read.
func ruleTypes(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		if d.entries() != nil {
			out = append(out, entryTypes(d)...)
		} else {
			out = append(out, fieldTypes(d, d.root, fieldsOf(d.kind))...)
		}
	}
	return out
}

// entryTypes checks each entry of an object or list of objects.
func entryTypes(d *document) []Problem {
	var out []Problem
	entries, known, nested := d.entries(), fieldsOf(d.kind), nestedFields()
	for i, n := range entries.Items {
		if n.Kind != jsontree.Object {
			out = append(out, wrongType(d, n, jsontree.Object))
			continue
		}
		out = append(out, fieldTypes(d, n, known)...)
		for _, key := range sortedKeys(nested) {
			if v := n.Get(key); is(v, jsontree.Object) {
				out = append(out, fieldTypes(d, v, nested[key])...)
			}
		}
		switch d.kind {
		case lxcFile:
			out = append(out, guestNumber(d.at(n), entries.Keys[i])...)
		case vmFile:
			out = append(out, guestNumber(d.key(n, "vmid"), n.Get("vmid").Scalar())...)
		case hypervisorFile, stacksFile, stackFile, manifestFile, endpointsFile:
		}
	}
	return out
}

// guestNumber reports the id of a guest that is no number.
func guestNumber(at place, id string) []Problem {
	if n, err := strconv.Atoi(id); err == nil && n > 0 {
		return nil
	}
	return []Problem{problem(Error, at, "give the guest its number", "%q is not the number of a guest", clip(id))}
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
