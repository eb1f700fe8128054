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
		if d.kind == lxcFile || d.kind == vmFile || d.kind == stacksFile {
			out = append(out, unknownFields(d, fieldsOf(d.kind))...)
		}
	}
	return out
}

func unknownFields(d *document, known map[string]field) []Problem {
	var out []Problem
	u := unknown{known: known, names: sortedKeys(known), carriers: map[string][]*jsontree.Node{}, meant: map[string]string{}}
	for _, entry := range d.entries().Items {
		if entry.Kind != jsontree.Object {
			continue
		}
		for i, key := range entry.Keys {
			if near := u.look(key, entry.Items[i]); near != "" {
				out = append(out, problem(Warn, d.at(entry.Items[i]), "spell it "+near, "unknown field; did you mean %q?", near))
			}
		}
	}
	total := len(d.entries().Items)
	for _, key := range u.order {
		with := u.carriers[key]
		if len(with) == total {
			continue // the convention of this file
		}
		path := fmt.Sprintf("%s (%d of %d)", clip(key), len(with), total)
		out = append(out, problem(Warn, d.named(with[0], path), "check that the others do without it on purpose",
			"the older system's schema does not know this field, and only some entries have it, first %s", with[0].Parent().Path()))
	}
	return out
}

// unknown collects fields that the schema does not have.
type unknown struct {
	known    map[string]field
	names    []string
	order    []string                    // unknown fields in the order of the file
	carriers map[string][]*jsontree.Node // their values
	meant    map[string]string           // misspelled field → what it means
}

// maxMisspelled is how many different unknown fields are compared with the known
// ones: beyond that the file is something else.
const maxMisspelled = 200

// look takes a field in, and returns what it must have meant when it is
// misspelled.
func (u *unknown) look(key string, value *jsontree.Node) string {
	f, ok := u.known[key]
	if ok && !f.later {
		return ""
	}
	near := ""
	if !ok {
		near = u.misspelled(key)
	}
	if u.carriers[key] == nil {
		u.order = append(u.order, key)
	}
	u.carriers[key] = append(u.carriers[key], value)
	return near
}

// misspelled returns the known field that somebody meant, "" when none is alike.
func (u *unknown) misspelled(key string) string {
	near, asked := u.meant[key]
	if asked || len(u.meant) == maxMisspelled {
		return near
	}
	near = nearest.Of(key, u.names)
	if d := len(near) - len(key); d < -2 || d > 2 {
		near = ""
	}
	u.meant[key] = near
	return near
}
