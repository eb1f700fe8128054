package importer

import (
	"regexp"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// ruleKeys reports keys that look like slips of the pen: a blank or a dot inside,
// an underscore too many. Keys of labels are foreign names and exempt.
func ruleKeys(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		d.root.Walk(func(n *jsontree.Node) {
			key := n.Key()
			if key == "" || !oddKey(key) || strings.Contains(n.Parent().Key(), "label") {
				return
			}
			out = append(out, problem(Warn, d.at(n), "correct the spelling; scripts that ask for the right name find nothing",
				"the key %q looks misspelled", clip(key)))
		})
	}
	return out
}

func oddKey(key string) bool {
	return strings.ContainsAny(key, ". \t") || strings.Contains(key, "__") ||
		strings.Trim(key, "_-") != key
}

// ruleDrift reports values that have one form here and another elsewhere.
func ruleDrift(inv *inventory) []Problem {
	var out []Problem
	if h := inv.hypervisor(); h != nil {
		for _, defaults := range h.root.Get("proxmox_defaults").Values() {
			if n := defaults.Get("network_config"); is(n, jsontree.String) {
				out = append(out, problem(Warn, h.at(n), "write an object with ip, gw and nameservers",
					"one text with commas, where guests have an object"))
			}
		}
	}
	for _, d := range inv.deployments() {
		if d.node.Kind == jsontree.Object {
			out = append(out, problem(Warn, d.guest.doc.at(d.node), "write the stack's name alone, and choose the environment in one place",
				"an object with name and environment, where a text with the stack's name is the later form"))
		}
	}
	return out
}

var gpuForm = regexp.MustCompile(`^(none|auto|all|\d+(,\d+)*)$`)

// ruleFormats reports texts that are not in the form in which they are read.
func ruleFormats(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		if n := g.node.Get("gpu_assignment"); n.Str() != "" && !gpuForm.MatchString(n.Str()) {
			out = append(out, problem(Warn, g.doc.at(n), "write none, or numbers with commas alone such as 0,1",
				"%q is not in the form that is compared", clip(n.Str())))
		}
		for _, n := range g.node.Get("lxc_options").List() {
			if !strings.Contains(n.Str(), "=") {
				out = append(out, problem(Warn, g.doc.at(n), "write key=value", "%q is not key=value", clip(n.Str())))
			}
		}
		out = append(out, sources(g)...)
		out = append(out, contents(g)...)
	}
	return out
}

// sources reports a guest that is to be made in two ways at once.
func sources(g *guest) []Problem {
	var from []string
	for _, key := range []string{"template", "template_file", "template_image", g.cloneKey()} {
		if n := g.node.Get(key); n.Scalar() != "" {
			from = append(from, key+" "+clip(n.Scalar()))
		}
	}
	if len(from) < 2 {
		return nil
	}
	return []Problem{problem(Warn, g.doc.at(g.node), "keep one of them", "is made from %s: only one can be true", strings.Join(from, " and from "))}
}

var modelSize = regexp.MustCompile(`(?i)(^|[-_. ])\d+(\.\d+)?[bm]($|[-_. ])`)

// contents reports a guest named after one language model that serves another.
func contents(g *guest) []Problem {
	model := g.node.Get("vllm_engine_config", "ModelConfig", "model").Str()
	called := strings.ToLower(g.name + " " + g.service().Get("name").Str())
	family := modelFamily(model)
	if family == "" || g.service() == nil || !modelSize.MatchString(called) || strings.Contains(called, family) {
		return nil
	}
	return []Problem{problem(Warn, g.doc.at(g.node), "name guest and service after what they serve, or after their purpose",
		"guest %s and service %s are named after one model and serve another, %s",
		clip(g.name), clip(g.service().Get("name").Str()), clip(model))}
}

// modelFamily returns the letters that the model's own name begins with.
func modelFamily(model string) string {
	base := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	end := strings.IndexFunc(base, func(r rune) bool { return r < 'a' || r > 'z' })
	if end < 0 {
		end = len(base)
	}
	if end < 3 {
		return ""
	}
	return base[:end]
}
