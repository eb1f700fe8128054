package importer

import "testing"

func TestRuleReferences(t *testing.T) {
	checkRule(t, ruleReferences, []ruleTest{
		{"sane, as text and as number", []string{`{"lxc_configs": {"101": {"dependencies": [201, "102"]}, "102": {"clone_from_ctid": "101"}}}`, `{"vms": [{"vmid": 201}]}`}, nil},
		{"missing", []string{noLXC, `{"vms": [{"vmid": 1, "dependencies": ["7"], "clone_from_vmid": 8}]}`, `[{"common_name": "a", "guest_id": 9}]`},
			[]string{"error vms[0].dependencies[0]", "error vms[0].clone_from_vmid", "error [0].guest_id"}},
		{"mounts", []string{noLXC, `{"vms": [{"vmid": 1}]}`, `{"domain_name": "a", "shared_volumes": {"v": {"mounts": {"1": "/x", "2": "/x"}}}}`}, []string{"error shared_volumes.v.mounts.2"}},
		{"other file not given", []string{`{"lxc_configs": {"101": {"dependencies": ["201"]}}}`}, []string{"info lxc_configs.101.dependencies[0]"}},
		{"no guests at all", []string{`{"domain_name": "a", "shared_volumes": {"v": {"mounts": {"2": "/x"}}}}`}, nil},
		{"clone of the other kind", []string{`{"lxc_configs": {"101": {"clone_from_ctid": "201"}}}`, `{"vms": [{"vmid": 201}]}`}, []string{"error lxc_configs.101.clone_from_ctid"}},
	})
}

func TestRuleTemplates(t *testing.T) {
	checkRule(t, ruleTemplates, []ruleTest{
		{"no template", []string{`{"vms": [{"vmid": 1, "dependencies": [2]}, {"vmid": 2}]}`}, nil},
		{"free template", []string{`{"vms": [{"vmid": 1, "is_template": true, "dependencies": []}]}`}, nil},
		{"stated", []string{`{"vms": [{"vmid": 1, "is_template": true, "dependencies": [2]}]}`}, []string{"warn vms[0].dependencies"}},
		{"by a snapshot", []string{`{"vms": [{"vmid": 1, "template_snapshot_name": "x", "dependencies": [2]}]}`}, []string{"warn vms[0].dependencies"}},
		{"by a clone", []string{`{"lxc_configs": {"1": {"dependencies": ["2"]}, "3": {"clone_from_ctid": "1"}}}`}, []string{"warn lxc_configs.1.dependencies"}},
	})
}

func TestRuleCycles(t *testing.T) {
	checkRule(t, ruleCycles, []ruleTest{
		{"a diamond", []string{`{"lxc_configs": {"1": {"dependencies": ["2", "3"]}, "2": {"dependencies": ["4"]}, "3": {"dependencies": ["4"]}, "4": {}}}`}, nil},
		{"itself", []string{`{"lxc_configs": {"1": {"dependencies": ["1"]}}}`}, []string{"error lxc_configs.1.dependencies"}},
		{"three, through a clone", []string{`{"lxc_configs": {"1": {"dependencies": ["2"]}, "2": {"clone_from_ctid": "3"}, "3": {"dependencies": ["1"]}}}`}, []string{"error lxc_configs.3.dependencies"}},
	})
}

func TestRuleBoot(t *testing.T) {
	checkRule(t, ruleBoot, []ruleTest{
		{"in order", []string{`{"vms": [{"vmid": 1, "start_at_boot": true, "boot_order": 2, "dependencies": [2]}, {"vmid": 2, "start_at_boot": true, "boot_order": 1}]}`}, nil},
		{"out of order", []string{`{"vms": [{"vmid": 1, "start_at_boot": true, "boot_order": 1, "dependencies": [2]}, {"vmid": 2, "start_at_boot": true, "boot_order": 2}]}`}, []string{"warn vms[0].boot_order"}},
		{"what is needed stays down", []string{`{"vms": [{"vmid": 1, "start_at_boot": true, "dependencies": [2]}, {"vmid": 2}]}`}, []string{"warn vms[0].dependencies[0]"}},
		{"neither starts", []string{`{"vms": [{"vmid": 1, "dependencies": [2]}, {"vmid": 2}]}`}, nil},
	})
}

func TestRuleStacks(t *testing.T) {
	const stacks = `{"docker_stacks": {"a": {"environments": {"production": {}}}}}`
	checkRule(t, ruleStacks, []ruleTest{
		{"deployed", []string{stacks, `{"vms": [{"vmid": 1, "docker_stacks": ["a"]}]}`}, nil},
		{"deployed in an environment", []string{stacks, `{"vms": [{"vmid": 1, "docker_stacks": [{"name": "a", "environment": "production"}]}]}`}, nil},
		{"by nobody", []string{stacks, noVM}, []string{"warn docker_stacks.a"}},
		{"guests not given", []string{stacks}, []string{"info docker_stacks.a"}},
		{"missing", []string{stacks, `{"vms": [{"vmid": 1, "docker_stacks": ["a", "b"]}]}`}, []string{"error vms[0].docker_stacks[1]"}},
		{"missing environment", []string{stacks, `{"vms": [{"vmid": 1, "docker_stacks": [{"name": "a", "environment": "test"}]}]}`}, []string{"error vms[0].docker_stacks[0]"}},
		{"no stacks given", []string{`{"vms": [{"vmid": 1, "docker_stacks": ["a"]}]}`}, nil},
	})
}

func TestRuleEndpoints(t *testing.T) {
	const endpoints = `{"endpoints": [{"Name": "a"}, {"Name": "b"}]}`
	checkRule(t, ruleEndpoints, []ruleTest{
		{"nobody has a name", []string{endpoints, noVM}, nil},
		{"one is missing", []string{endpoints, `{"vms": [{"vmid": 1, "portainer_environment_name": "b"}]}`}, []string{"error endpoints[0].Name"}},
	})
}
