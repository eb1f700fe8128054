package importer

import "testing"

func TestRuleStorage(t *testing.T) {
	checkRule(t, ruleStorage, []ruleTest{
		{"sane", []string{hyper, `{"lxc_configs": {"1": {"storage_pool": "disks", "zfs_volumes": [{"pool": "disks"}]}}}`}, nil},
		{"unknown", []string{hyper, `{"lxc_configs": {"1": {"storage_pool": "disk", "zfs_volumes": [{"pool": "x"}]}}}`, `{"vms": [], "vm_defaults": {"storage_pool": "y"}}`},
			[]string{"error vm_defaults.storage_pool", "error lxc_configs.1.storage_pool", "error lxc_configs.1.zfs_volumes[0].pool"}},
		{"not stated", []string{`{"lxc_configs": {"1": {"storage_pool": "disk"}}}`}, nil},
	})
}

func TestRuleVolumes(t *testing.T) {
	checkRule(t, ruleVolumes, []ruleTest{
		{"misplaced", []string{`{"domain_name": "a", "shared_volumes": {"v": {"host_path": "/x", "mounts": {}}, "firewall": {"enabled": true}}}`}, []string{"error shared_volumes.firewall"}},
	})
}

func TestRuleScripts(t *testing.T) {
	checkRule(t, ruleScripts, []ruleTest{
		{"its own, and one for all", []string{`{"lxc_configs": {"101": {"application_script": "setup_101.sh"}, "102": {"application_script": "setup_web.sh"}}}`}, nil},
		{"another's", []string{`{"lxc_configs": {"101": {}, "102": {"application_script": "setup_101.sh"}}}`}, []string{"warn lxc_configs.102.application_script"}},
		{"nobody's", []string{noVM, `{"lxc_configs": {"102": {"application_script": "setup_955.sh"}}}`}, []string{"warn lxc_configs.102.application_script", "error lxc_configs.102.application_script"}},
	})
}
