package importer

import (
	"slices"
	"testing"
)

// ruleTest is one input of a rule: documents, and the problems expected in the
// form "level path".
type ruleTest struct {
	name string
	docs []string
	want []string
}

// checkRule runs a rule on each input.
func checkRule(t *testing.T, rule func(*inventory) []Problem, tests []ruleTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range rule(inventoryOf(t, tt.docs...)) {
				got = append(got, string(p.Level)+" "+p.Path)
				if p.Message == "" || p.Hint == "" && p.Level != Info {
					t.Errorf("%s %s lacks a message or a hint", p.File, p.Path)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// inventoryOf reads documents that are recognised by their shape alone.
func inventoryOf(t *testing.T, texts ...string) *inventory {
	t.Helper()
	var docs []*document
	for _, text := range texts {
		d, problems := read(source{name: "input.json", raw: []byte(text), given: true, dir: "."})
		if d == nil {
			t.Fatalf("%s: %+v", text, problems)
		}
		docs = append(docs, d)
	}
	return take(docs)
}

// Parts that tests share: files without any entry, so that all guests are known,
// and a hypervisor with one network.
const (
	noLXC = `{"lxc_configs": {}}`
	noVM  = `{"vms": []}`
	hyper = `{"domain_name": "lab.test", "network": {"interfaces": {"address": "10.0.0.2/24", "gateway": "10.0.0.1"}},
	           "proxmox_storage_ids": {"a": "disks"}}`
)
