package importer

import "strings"

// ruleEndpoints reports endpoints of the container management that no guest goes
// by.
func ruleEndpoints(inv *inventory) []Problem {
	var names []string
	for _, g := range inv.guests {
		if n := g.node.Get("portainer_environment_name").Str(); n != "" {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return nil
	}
	known := "\x00" + strings.Join(names, "\x00") + "\x00"
	var out []Problem
	for _, d := range inv.of(endpointsFile) {
		for _, n := range d.root.Get("endpoints").List() {
			if name := n.Get("Name"); name.Str() != "" && !strings.Contains(known, "\x00"+name.Str()+"\x00") {
				out = append(out, problem(Error, d.at(name), "say the same in both",
					"%s, while the guests call their environments %s", clip(name.Str()), clip(strings.Join(names, ", "))))
			}
		}
	}
	return out
}
