package importer

import (
	"regexp"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

var scriptID = regexp.MustCompile(`[_-](\d{3,})\.(sh|py)$`)

// ruleScripts reports scripts that are named after another guest than the one
// they are for, or after one that does not exist.
func ruleScripts(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		n := g.node.Get("application_script")
		m := scriptID.FindStringSubmatch(n.Str())
		if len(m) == 0 || m[1] == g.id {
			continue
		}
		out = append(out, problem(Warn, g.doc.at(n), "name the guest's own script", "script %s is for guest %s, not for %s", clip(n.Str()), m[1], clip(g.id)))
		if inv.guest(m[1]) == nil && inv.allGuests() {
			out = append(out, problem(Error, g.doc.at(n), "name a script that exists", "script %s is for a guest that does not exist any more, so it will be missing too", clip(n.Str())))
		}
	}
	return out
}

// ruleFiles reports files that stacks refer to and that are not beside the
// configuration.
func ruleFiles(inv *inventory) []Problem {
	var out []Problem
	check := func(d *document, n *jsontree.Node) {
		reference := n.Str()
		if reference == "" || strings.HasPrefix(reference, "/") || strings.ContainsAny(reference, "$~") || d.fsys == nil || d.holds(reference) {
			return
		}
		out = append(out, problem(Error, d.at(n), "add the file, or correct the path", "file %s is not beside the configuration", clip(reference)))
	}
	for _, s := range inv.stacks {
		check(s.doc, s.node.Get("compose_file_path"))
		for _, env := range s.node.Get("environments").Values() {
			for _, f := range env.Get("files").List() {
				check(s.doc, f.Get("source"))
			}
		}
	}
	return out
}
