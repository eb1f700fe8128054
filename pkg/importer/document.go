package importer

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// kind is a kind of file that the older system has.
type kind string

const (
	hypervisorFile kind = "hypervisor"
	lxcFile        kind = "lxc"
	vmFile         kind = "vm"
	stacksFile     kind = "stacks"
	stackFile      kind = "stack"
	manifestFile   kind = "certificates"
	endpointsFile  kind = "endpoints"
)

// kinds lists them in the order in which they are looked at, whatever the order
// of files.
func kinds() []kind {
	return []kind{hypervisorFile, lxcFile, vmFile, stacksFile, stackFile, manifestFile, endpointsFile}
}

// document is one recognised file.
type document struct {
	source
	kind kind
	root *jsontree.Node
}

// read parses a source and recognises it. A source without a place among the
// known kinds yields no document but, where it matters, a problem.
func read(s source) (*document, []Problem) {
	root, duplicates, err := jsontree.Parse(s.raw)
	if err != nil {
		return nil, []Problem{notJSON(s.name, err)}
	}
	k, expected := recognise(root), kindByName(s.name)
	if k == "" && expected == manifestFile && is(root, jsontree.Array) && len(root.Items) == 0 {
		k = manifestFile
	}
	switch {
	case k == "" && expected != "":
		return nil, []Problem{problem(Error, place{file: s.name, line: 1}, "compare it with a working installation",
			"does not look like the file its name says: %s", shape(expected))}
	case k == "" && s.given:
		return nil, []Problem{problem(Error, place{file: s.name, line: 1}, "leave the file out",
			"is not a file of the older system")}
	case k == "":
		return nil, []Problem{problem(Info, place{file: s.name, line: 1}, "", "is not a file of the older system, so it is passed over")}
	}
	d := &document{source: s, kind: k, root: root}
	if n := d.entries(); n != nil && len(n.Items) > maxEntries {
		return nil, []Problem{problem(Error, d.at(n), "import a part of it", "has more than %d entries", maxEntries)}
	}
	return d, repeated(d, duplicates)
}

// entries returns the object or list of guests, stacks, certificates or
// endpoints that the file is about, nil when it is about one thing.
func (d *document) entries() *jsontree.Node {
	switch d.kind {
	case lxcFile:
		return d.root.Get("lxc_configs")
	case vmFile:
		return d.root.Get("vms")
	case stacksFile:
		return d.root.Get("docker_stacks")
	case endpointsFile:
		return d.root.Get("endpoints")
	case manifestFile:
		return d.root
	case hypervisorFile, stackFile:
	}
	return nil
}

// repeated reports keys that are given twice.
func repeated(d *document, duplicates []jsontree.Duplicate) []Problem {
	var out []Problem
	for _, dup := range duplicates {
		out = append(out, problem(Error, place{file: d.name, path: dup.Path, line: dup.Line}, "keep one of the two",
			"the key is given twice (first in line %d): only the last one counts, the first is lost without a word", dup.FirstLine))
	}
	return out
}

func notJSON(name string, err error) Problem {
	at := place{file: name}
	if syntax, ok := errors.AsType[*jsontree.SyntaxError](err); ok {
		at.path, at.line = syntax.Path, syntax.Line
	}
	return problem(Error, at, "correct the file's syntax: nothing in it could be read", "not valid JSON: %v", err)
}

// shape says by what a kind of file is recognised.
func shape(k kind) string {
	switch k {
	case lxcFile:
		return "an object with the object lxc_configs"
	case vmFile:
		return "an object with the list vms"
	case stacksFile:
		return "an object with the object docker_stacks"
	case stackFile:
		return "an object with the object environments"
	case manifestFile:
		return "a list of objects with common_name"
	case endpointsFile:
		return "an object with the list endpoints"
	case hypervisorFile:
	}
	return "an object with keys such as domain_name and network"
}

// recognise tells the kind of a file by what it holds.
func recognise(root *jsontree.Node) kind {
	switch {
	case root.Kind == jsontree.Array && len(root.Items) > 0 && slices.ContainsFunc(root.Items, isCertificate):
		return manifestFile
	case root.Kind != jsontree.Object:
		return ""
	case is(root.Get("lxc_configs"), jsontree.Object):
		return lxcFile
	case is(root.Get("vms"), jsontree.Array):
		return vmFile
	case is(root.Get("docker_stacks"), jsontree.Object):
		return stacksFile
	case is(root.Get("endpoints"), jsontree.Array):
		return endpointsFile
	case isHypervisor(root):
		return hypervisorFile
	case is(root.Get("environments"), jsontree.Object):
		return stackFile
	}
	return ""
}

func is(n *jsontree.Node, k jsontree.Kind) bool { return n != nil && n.Kind == k }

func isCertificate(n *jsontree.Node) bool {
	return n.Has("common_name") || n.Has("cert_path") && n.Has("key_path")
}

// isHypervisor asks for the domain, or for two of the other keys that only this
// file has at its top.
func isHypervisor(root *jsontree.Node) bool {
	if root.Has("domain_name") {
		return true
	}
	found := 0
	for _, k := range []string{
		"network", "shared_volumes", "proxmox_defaults", "proxmox_storage_ids",
		"core_paths", "zfs", "nfs", "dns_server", "step_ca", "portainer_api", "firewall",
	} {
		if root.Has(k) {
			found++
		}
	}
	return found >= 2 || found == 1 && len(root.Keys) == 1
}

// kindByName tells what a file claims to be by its name, "" when it claims
// nothing.
func kindByName(name string) kind {
	switch base := path.Base(name); {
	case strings.HasPrefix(base, "phoenix_hypervisor_config"):
		return hypervisorFile
	case strings.HasPrefix(base, "phoenix_lxc_config"):
		return lxcFile
	case strings.HasPrefix(base, "phoenix_vm_config"):
		return vmFile
	case strings.HasPrefix(base, "phoenix_stacks_config"):
		return stacksFile
	case base == "certificate-manifest.json":
		return manifestFile
	case base == "phoenix.json":
		return stackFile
	}
	return ""
}
