package importer

import "testing"

func TestRuleTypes(t *testing.T) {
	checkRule(t, ruleTypes, []ruleTest{
		{"sane", []string{`{"lxc_configs": {"101": {"name": "a", "cores": 2, "clone_from_ctid": 900, "network_config": null}}}`}, nil},
		{"guest is no object", []string{`{"lxc_configs": {"101": []}}`}, []string{"error lxc_configs.101"}},
		{"wrong types", []string{`{"vms": [{"vmid": 1, "name": 7, "features": "docker", "network_config": {"ip": 10}}]}`},
			[]string{"error vms[0].name", "error vms[0].features", "error vms[0].network_config.ip"}},
		{"no number", []string{`{"vms": [{"name": "a"}]}`, `{"lxc_configs": {"web": {}}}`}, []string{"error lxc_configs.web", "error vms[0].vmid"}},
		{"certificate", []string{`[{"common_name": "a", "sans": "b"}]`}, []string{"error [0].sans"}},
		{"hypervisor", []string{`{"domain_name": ["a"], "network": "b"}`}, []string{"error domain_name", "error network"}},
		{"stack", []string{`{"environments": {}, "description": 1}`}, []string{"error description"}},
		{"endpoint", []string{`{"endpoints": [{"Name": 1}]}`}, []string{"error endpoints[0].Name"}},
	})
}

func TestRuleFields(t *testing.T) {
	checkRule(t, ruleFields, []ruleTest{
		{"known", []string{`{"lxc_configs": {"101": {"name": "a", "swap_mb": 1}}}`}, nil},
		{"later, by all", []string{`{"vms": [{"traefik_service": {}}, {"traefik_service": {}}]}`}, nil},
		{"later, by some", []string{`{"vms": [{"swarm_role": "a"}, {}, {"swarm_role": "b"}]}`}, []string{"warn swarm_role (2 of 3)"}},
		{"misspelled", []string{`{"lxc_configs": {"101": {"boot_ordr": 1}, "102": {}}}`},
			[]string{"warn lxc_configs.101.boot_ordr", "warn boot_ordr (1 of 2)"}},
		{"stacks", []string{`{"docker_stacks": {"a": {"nginx_proxy": {}}, "b": {}}}`}, []string{"warn nginx_proxy (1 of 2)"}},
		{"no objects", []string{`{"vms": [1, 2]}`}, nil},
	})
}

func TestRuleKeys(t *testing.T) {
	checkRule(t, ruleKeys, []ruleTest{
		{"sane", []string{`{"vms": [{"boot_order": 1, "$schema": 2, "a-b": 3, "Name": 4}]}`}, nil},
		{"odd", []string{`{"domain_name": "a", "zfs": {"health_.check": 1, "two words": 2, "_x": 3, "a__b": 4}}`},
			[]string{"warn zfs.health_.check", "warn zfs.two words", "warn zfs._x", "warn zfs.a__b"}},
		{"labels", []string{`{"environments": {"a": {"labels": {"traefik.enable": true}}}}`}, nil},
	})
}

func TestRuleDrift(t *testing.T) {
	checkRule(t, ruleDrift, []ruleTest{
		{"sane", []string{`{"vms": [{"vmid": 1, "docker_stacks": ["a"]}]}`}, nil},
		{"stack as object", []string{`{"vms": [{"vmid": 1, "docker_stacks": ["a", {"name": "b"}]}]}`}, []string{"warn vms[0].docker_stacks[1]"}},
		{"network as text", []string{`{"domain_name": "a", "proxmox_defaults": {"lxc": {"network_config": "10.0.0.1/24,10.0.0.2"}}}`},
			[]string{"warn proxmox_defaults.lxc.network_config"}},
	})
}

func TestRuleFormats(t *testing.T) {
	checkRule(t, ruleFormats, []ruleTest{
		{"sane", []string{`{"lxc_configs": {"101": {"gpu_assignment": "0,1", "lxc_options": ["a=b"]}, "102": {"gpu_assignment": "none"}}}`}, nil},
		{"blank", []string{`{"lxc_configs": {"101": {"gpu_assignment": "0, 1"}}}`}, []string{"warn lxc_configs.101.gpu_assignment"}},
		{"colon", []string{`{"lxc_configs": {"101": {"lxc_options": ["a=b", "c: d"]}}}`}, []string{"warn lxc_configs.101.lxc_options[1]"}},
		{"two sources", []string{`{"lxc_configs": {"101": {"template": "x", "clone_from_ctid": "900"}}}`}, []string{"warn lxc_configs.101"}},
		{"another model", []string{`{"lxc_configs": {"101": {"name": "alpha-7b", "traefik_service": {"name": "alpha"},
			"vllm_engine_config": {"ModelConfig": {"model": "someone/Beta2-9B"}}}}}`}, []string{"warn lxc_configs.101"}},
		{"its model", []string{`{"lxc_configs": {"101": {"name": "beta-9b", "traefik_service": {"name": "chat"},
			"vllm_engine_config": {"ModelConfig": {"model": "someone/Beta2-9B"}}}}}`}, nil},
		{"a purpose", []string{`{"lxc_configs": {"101": {"name": "chat", "traefik_service": {"name": "chat"},
			"vllm_engine_config": {"ModelConfig": {"model": "someone/Beta2-9B"}}}}}`}, nil},
	})
}
