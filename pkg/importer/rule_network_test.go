package importer

import (
	"fmt"
	"testing"
)

func TestRuleNetworks(t *testing.T) {
	network := func(s string) []string {
		return []string{fmt.Sprintf(`{"vms": [{"vmid": 1, "network_config": {%s}}]}`, s)}
	}
	checkRule(t, ruleNetworks, []ruleTest{
		{"sane", network(`"ip": "10.0.0.5/24", "gw": "10.0.0.1"`), nil},
		{"dhcp", network(`"ip": "dhcp"`), []string{"info vms[0].network_config.ip"}},
		{"nothing", network(``), []string{"info vms[0].network_config.ip"}},
		{"no address", network(`"ip": "10.0.0.500/24"`), []string{"error vms[0].network_config.ip"}},
		{"no network", network(`"ip": "10.0.0.5"`), []string{"warn vms[0].network_config.ip"}},
		{"gateway outside", network(`"ip": "10.0.0.5/24", "gw": "10.0.1.1"`), []string{"error vms[0].network_config.gw"}},
		{"gateway is the guest", network(`"ip": "10.0.0.5/24", "gw": "10.0.0.5"`), []string{"error vms[0].network_config.gw"}},
		{"gateway is no address", network(`"ip": "10.0.0.5/24", "gw": "router"`), []string{"error vms[0].network_config.gw"}},
	})
}

func TestRuleAddresses(t *testing.T) {
	const guest = `{"vms": [{"vmid": 1, "network_config": {"ip": "10.0.0.5/24", "gw": "10.0.0.1", "nameserver": "10.0.0.9"}}]}`
	const rules = `{"lxc_configs": {"2": {"network_config": {"ip": "10.9.0.2/24"}, "firewall": {"rules": [
		{"source": "10.0.0.5"}, {"source": "10.0.0.0/24"}, {"source": "10.0.0.2,10.0.0.7"}, {"dest": "192.0.2.1"}, {"dest": "10.9.0.255"}, {"dest": "10.9.0.3/32"}]}}}}`
	checkRule(t, ruleAddresses, []ruleTest{
		{"everywhere", []string{hyper, guest, rules},
			[]string{"error lxc_configs.2.firewall.rules[2].source", "error lxc_configs.2.firewall.rules[5].dest", "error vms[0].network_config.nameserver"}},
		{"in URLs", []string{hyper, noLXC, noVM, `{"endpoints": [{"URL": "tcp://10.0.0.7:9001"}, {"URL": "tcp://10.0.0.2:9001"}, {"URL": "see 10.0.0.7"}]}`}, []string{"error endpoints[0].URL"}},
		{"not all files", []string{guest, rules}, nil},
		{"other machines", []string{`{"domain_name": "a", "network": {"default_subnet": "10.0.0.0/24", "nfs_server": "10.0.0.8"}, "nfs": {"server": "10.0.0.8", "client": "10.0.0.9"}}`, noLXC, noVM},
			[]string{"error nfs.client"}},
	})
}

func TestRuleNameservers(t *testing.T) {
	hyper := func(enabled bool) string {
		return fmt.Sprintf(`{"domain_name": "a", "network": {"interfaces": {"dns_nameservers": ["10.0.0.5", "192.0.2.1", "x"]}}, "dns_server": {"enabled": %t}}`, enabled)
	}
	const guest = `{"vms": [{"vmid": 1, "network_config": {"ip": "10.0.0.5/24"}}]}`
	checkRule(t, ruleNameservers, []ruleTest{
		{"a guest, beside the hypervisor's resolver", []string{hyper(true), guest}, []string{"warn network.interfaces.dns_nameservers[0]"}},
		{"a guest, the only resolver", []string{hyper(false), guest}, nil},
		{"a guest with the feature", []string{hyper(true), `{"vms": [{"vmid": 1, "features": ["dns_server"], "network_config": {"ip": "10.0.0.5/24"}}]}`}, nil},
	})
}

func TestRuleFirewalls(t *testing.T) {
	rules := func(s string) []string { return []string{fmt.Sprintf(`{"vms": [{"vmid": 1, "firewall": {%s}}]}`, s)} }
	checkRule(t, ruleFirewalls, []ruleTest{
		{"sane", rules(`"enabled": true, "rules": [{"type": "in", "action": "ACCEPT", "proto": "icmp"}, {"type": "out", "action": "ACCEPT", "proto": "tcp", "port": "80,443"},
			{"type": "in", "action": "ACCEPT", "proto": "tcp", "port": 8000}, {"type": "in", "action": "DROP"}]`), nil},
		{"disabled", rules(`"enabled": false, "rules": [{"type": "in", "action": "DROP"}]`), []string{"warn vms[0].firewall"}},
		{"disabled and empty", rules(`"enabled": false, "rules": []`), nil},
		{"anything", rules(`"rules": [{"type": "in", "action": "ACCEPT", "source": "10.0.0.5"}]`), []string{"warn vms[0].firewall.rules[0]"}},
		{"equal", rules(`"rules": [{"type": "in", "action": "DROP", "comment": "a"}, {"type": "out", "action": "DROP"}, {"action": "DROP", "type": "in"}, {"type": "in", "action": "DROP", "comment": "b"}]`),
			[]string{"warn vms[0].firewall.rules[0, 2, 3]"}},
		{"wrong words", rules(`"rules": [{"type": "inward", "action": "LET", "port": "web"}]`),
			[]string{"error vms[0].firewall.rules[0].action", "error vms[0].firewall.rules[0].type", "error vms[0].firewall.rules[0].port"}},
		{"of a stack", []string{`{"environments": {"prod": {"firewall_rules": [{"type": "in", "action": "ACCEPT"}]}}}`}, []string{"warn environments.prod.firewall_rules[0]"}},
		{"no firewall's", rules(`"rules": [{"name": "a"}]`), nil},
	})
}
