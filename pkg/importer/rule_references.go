package importer

import (
	"slices"
	"strings"
)

// ruleReferences reports ids of guests that do not exist.
func ruleReferences(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		for _, n := range g.node.Get("dependencies").List() {
			out = append(out, inv.missing(n.Scalar(), g.doc.at(n))...)
		}
		n := g.node.Get(g.cloneKey())
		out = append(out, inv.missing(n.Scalar(), g.doc.at(n))...)
	}
	for _, c := range inv.certs {
		n := c.node.Get("guest_id")
		out = append(out, inv.missing(n.Scalar(), c.doc.at(n))...)
	}
	for _, h := range inv.of(hypervisorFile) {
		for _, volume := range h.root.Get("shared_volumes").Values() {
			for _, n := range volume.Get("mounts").Values() {
				out = append(out, inv.missing(n.Key(), h.at(n))...)
			}
		}
	}
	return append(out, cloneKinds(inv)...)
}

// missing reports an id that no guest has, as a mistake only when all files that
// could have it are there.
func (inv *inventory) missing(id string, at place) []Problem {
	switch {
	case id == "" || len(inv.guests) == 0 || inv.guest(id) != nil:
		return nil
	case inv.allGuests():
		return []Problem{problem(Error, at, "correct the id, or remove the reference", "guest %s does not exist", clip(id))}
	}
	return []Problem{problem(Info, at, "import the files of containers and of virtual machines together",
		"guest %s is in none of the files given", clip(id))}
}

// cloneKinds reports guests that are cloned from one of the other kind.
func cloneKinds(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		n := g.node.Get(g.cloneKey())
		if from := inv.guest(n.Scalar()); from != nil && from.vm != g.vm {
			out = append(out, problem(Error, g.doc.at(n), "clone from a guest of the same kind",
				"%s %s cannot be cloned from %s %s", g.kind(), clip(g.id), from.kind(), clip(from.id)))
		}
	}
	return out
}

// ruleTemplates reports templates that depend on a running guest.
func ruleTemplates(inv *inventory) []Problem {
	cloned := map[string]bool{}
	for _, g := range inv.guests {
		cloned[g.node.Get(g.cloneKey()).Scalar()] = true
	}
	var out []Problem
	for _, g := range inv.guests {
		n := g.node.Get("dependencies")
		template := g.node.Get("is_template").True() || g.node.Get("template_snapshot_name").Str() != "" || cloned[g.id]
		if !template || len(n.List()) == 0 {
			continue
		}
		var ids []string
		for _, d := range n.List() {
			ids = append(ids, clip(d.Scalar()))
		}
		out = append(out, problem(Warn, g.doc.at(n), "let the clones depend on it, not the template",
			"%s (%s) is a template that needs %s, so everything cloned from it does too", clip(g.id), clip(g.name), strings.Join(ids, ", ")))
	}
	return out
}

// ruleCycles reports guests that wait for each other.
func ruleCycles(inv *inventory) []Problem {
	c := &cycleFinder{inv: inv, state: map[*guest]int{}}
	for _, g := range inv.guests {
		c.visit(g, nil)
	}
	return c.problems
}

// cycleFinder walks the dependencies depth first.
type cycleFinder struct {
	inv      *inventory
	state    map[*guest]int // 1: on the way, 2: done
	problems []Problem
}

func (c *cycleFinder) visit(g *guest, way []*guest) {
	if c.state[g] == 2 {
		return
	}
	if c.state[g] == 1 {
		c.report(way[slices.Index(way, g):])
		return
	}
	c.state[g] = 1
	way = append(way, g)
	for _, next := range c.needs(g) {
		c.visit(next, way)
	}
	c.state[g] = 2
}

// needs returns the guests that g depends on or is cloned from.
func (c *cycleFinder) needs(g *guest) []*guest {
	var out []*guest
	ids := g.node.Get("dependencies").List()
	if from := g.node.Get(g.cloneKey()); from != nil {
		ids = append(slices.Clone(ids), from)
	}
	for _, n := range ids {
		if next := c.inv.guest(n.Scalar()); next != nil {
			out = append(out, next)
		}
	}
	return out
}

func (c *cycleFinder) report(round []*guest) {
	var ids []string
	for _, g := range round {
		ids = append(ids, clip(g.id))
	}
	last := round[len(round)-1]
	c.problems = append(c.problems, problem(Error, last.doc.key(last.node, "dependencies"), "remove one of these dependencies",
		"the guests wait for each other: %s, %s", strings.Join(ids, ", "), ids[0]))
}

// ruleBoot reports an order of starting that contradicts the dependencies.
func ruleBoot(inv *inventory) []Problem {
	var out []Problem
	for _, g := range inv.guests {
		if !g.boots() {
			continue
		}
		for _, n := range g.node.Get("dependencies").List() {
			needed := inv.guest(n.Scalar())
			if needed == nil || needed == g {
				continue
			}
			own, ok1 := g.node.Get("boot_order").Int()
			its, ok2 := needed.node.Get("boot_order").Int()
			switch {
			case !needed.boots():
				out = append(out, problem(Warn, g.doc.at(n), "start it at boot as well", "depends on %s, which does not start at boot", clip(needed.id)))
			case ok1 && ok2 && its > own:
				out = append(out, problem(Warn, g.doc.key(g.node, "boot_order"), "let what is needed start first",
					"starts as number %d, before %s, number %d, on which it depends", own, clip(needed.id), its))
			}
		}
	}
	return out
}

// ruleStacks reports stacks that nobody deploys and deployments of stacks that
// do not exist.
func ruleStacks(inv *inventory) []Problem {
	if len(inv.stacks) == 0 {
		return nil
	}
	var out []Problem
	known := map[string]*stack{}
	for _, s := range inv.stacks {
		known[s.name] = s
		switch {
		case len(inv.deployed[s.name]) > 0:
		case len(inv.of(vmFile)) == 0:
			out = append(out, problem(Info, s.doc.at(s.node), "import the files with the guests together with this one",
				"which guest deploys this stack is not known, so neither is where its services listen"))
		default:
			out = append(out, problem(Warn, s.doc.at(s.node), "name it in docker_stacks of a guest, or remove it", "no guest deploys this stack"))
		}
	}
	for _, d := range inv.deployments() {
		out = append(out, deploymentProblems(d, known[d.stack])...)
	}
	return out
}

// deploymentProblems reports a deployment of what is not there.
func deploymentProblems(d deployment, s *stack) []Problem {
	switch {
	case s == nil:
		return []Problem{problem(Error, d.guest.doc.at(d.node), "correct the name, or add the stack", "stack %s does not exist", clip(d.stack))}
	case d.environment != "" && !s.node.Get("environments").Has(d.environment):
		return []Problem{problem(Error, d.guest.doc.at(d.node), "correct the environment's name, or add it",
			"stack %s has no environment %s", clip(d.stack), clip(d.environment))}
	}
	return nil
}
