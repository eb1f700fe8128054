package importer

import "testing"

func TestRuleDuplicates(t *testing.T) {
	checkRule(t, ruleDuplicates, []ruleTest{
		{"sane", []string{`{"vms": [{"vmid": 1, "name": "a", "network_config": {"ip": "10.0.0.3/24"}}, {"vmid": 2, "name": "b", "network_config": {"ip": "dhcp"}},
			{"vmid": 3, "name": "c", "network_config": {"ip": "dhcp"}}]}`}, nil},
		{"id of another kind", []string{`{"lxc_configs": {"101": {}}}`, `{"vms": [{"vmid": 101}]}`}, []string{"error vms[0].vmid"}},
		{"name", []string{`{"vms": [{"vmid": 1, "name": "A"}, {"vmid": 2, "name": "a"}]}`}, []string{"error vms[1].name"}},
		{"address, also of a second interface", []string{`{"lxc_configs": {"1": {"network_config": {"ip": "10.0.0.3/24"}},
			"2": {"secondary_network_config": {"ip": "10.0.0.3/16"}}}}`}, []string{"error lxc_configs.2.secondary_network_config.ip"}},
		{"address of the hypervisor", []string{hyper, `{"vms": [{"vmid": 1, "network_config": {"ip": "10.0.0.2/24"}}]}`}, []string{"error vms[0].network_config.ip"}},
		{"MAC", []string{`{"lxc_configs": {"1": {"mac_address": "02:00:00:00:00:0A"}, "2": {"mac_address": "02:00:00:00:00:0a"}}}`}, []string{"error lxc_configs.2.mac_address"}},
		{"MAC stated twice", []string{`{"lxc_configs": {"1": {"mac_address": "02:00:00:00:00:0A", "network_config": {"hwaddr": "02:00:00:00:00:0a"}}}}`},
			[]string{"info lxc_configs.1.network_config.hwaddr + lxc_configs.1.mac_address"}},
		{"MACs disagree", []string{`{"lxc_configs": {"1": {"mac_address": "02:00:00:00:00:0A", "network_config": {"hwaddr": "02:00:00:00:00:0b"}}}}`},
			[]string{"error lxc_configs.1.network_config.hwaddr"}},
		{"service", []string{`{"vms": [{"vmid": 1, "traefik_service": {"name": "web"}}, {"vmid": 2, "traefik_service": {"name": "Web"}}]}`}, []string{"error vms[1].traefik_service.name"}},
		{"certificates", []string{`[{"common_name": "a.test", "cert_path": "/x", "key_path": "/y"}, {"common_name": "A.test", "cert_path": "/y", "key_path": "/z"}]`},
			[]string{"error [1].common_name", "error [1].cert_path"}},
		{"stack in two files", []string{`{"docker_stacks": {"input": {}}}`, `{"environments": {}}`}, []string{"error "}},
		{"endpoints", []string{`{"endpoints": [{"Name": "a"}, {"Name": "a"}]}`}, []string{"error endpoints[1].Name"}},
		{"two hypervisors", []string{hyper, hyper}, []string{"error "}},
	})
}
