package importer

import "github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"

// ruleStorage reports pools that the hypervisor does not have under that name.
func ruleStorage(inv *inventory) []Problem {
	ids := map[string]bool{}
	for _, n := range inv.setting("proxmox_storage_ids").Values() {
		ids[n.Str()] = true
	}
	if len(ids) == 0 {
		return nil
	}
	var out []Problem
	check := func(d *document, n *jsontree.Node) {
		if n.Str() == "" || ids[n.Str()] {
			return
		}
		hint := "use one of proxmox_storage_ids"
		if inv.datasets()[n.Str()] {
			hint = "the dataset exists: add it to proxmox_storage_ids"
		}
		out = append(out, problem(Error, d.at(n), hint, "storage %s is not among proxmox_storage_ids", clip(n.Str())))
	}
	for _, d := range inv.of(vmFile) {
		check(d, d.root.Get("vm_defaults", "storage_pool"))
	}
	for _, g := range inv.guests {
		check(g.doc, g.node.Get("storage_pool"))
		for _, v := range g.node.Get("zfs_volumes").List() {
			check(g.doc, v.Get("pool"))
		}
	}
	return out
}

// datasets returns the datasets of the hypervisor as pool-name.
func (inv *inventory) datasets() map[string]bool {
	out := map[string]bool{}
	for _, n := range inv.setting("zfs", "datasets").List() {
		out[n.Get("pool").Str()+"-"+n.Get("name").Str()] = true
	}
	return out
}

// ruleVolumes reports what stands among the shared volumes and is none.
func ruleVolumes(inv *inventory) []Problem {
	var out []Problem
	for _, h := range inv.of(hypervisorFile) {
		for _, n := range h.root.Get("shared_volumes").Values() {
			if !n.Has("host_path") && !n.Has("mounts") {
				out = append(out, problem(Error, h.at(n), "move it to where it is looked for", "%s is no shared volume: it has neither host_path nor mounts", clip(n.Key())))
			}
		}
	}
	return out
}
