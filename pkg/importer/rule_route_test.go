package importer

import (
	"fmt"
	"testing"
)

func TestRuleNames(t *testing.T) {
	checkRule(t, ruleNames, []ruleTest{
		{"sane", []string{`{"vms": [{"vmid": 1, "name": "Web-1"}, {"vmid": 2}]}`}, nil},
		{"dot", []string{`{"vms": [{"vmid": 1, "name": "Cuda12.8"}]}`}, []string{"warn vms[0].name"}},
		{"underscore", []string{`{"vms": [{"vmid": 1, "name": "web_1"}]}`}, []string{"warn vms[0].name"}},
	})
}

func TestRuleServices(t *testing.T) {
	const rest = `"start_at_boot": true, "network_config": {"ip": "10.0.0.5/24"}`
	lxc := func(s string) []string { return []string{fmt.Sprintf(`{"lxc_configs": {"1": {%s}}}`, s)} }
	service := func(s string) []string { return lxc(rest + `, "traefik_service": ` + s) }
	checkRule(t, ruleServices, []ruleTest{
		{"sane", service(`{"name": "web", "port": 80, "scheme": "http"}`), nil},
		{"port as text", service(`{"name": "web", "port": "80"}`), nil},
		{"no port", service(`{"name": "web"}`), []string{"error lxc_configs.1.traefik_service.port"}},
		{"port out of range", service(`{"name": "web", "port": 65536}`), []string{"error lxc_configs.1.traefik_service.port"}},
		{"https to a container", service(`{"name": "web", "port": 80, "scheme": "https"}`), []string{"error lxc_configs.1.traefik_service.scheme"}},
		{"unknown scheme", service(`{"name": "web", "port": 80, "scheme": "tcp"}`), []string{"error lxc_configs.1.traefik_service.scheme"}},
		{"https to a machine", []string{`{"vms": [{"vmid": 1, ` + rest + `, "traefik_service": {"name": "web", "port": 80, "scheme": "https"}}]}`}, nil},
		{"no name", service(`{"port": 80}`), []string{"error lxc_configs.1.traefik_service.name"}},
		{"dot", service(`{"name": "web2.5", "port": 80}`), []string{"error lxc_configs.1.traefik_service.name"}},
		{"upper case", service(`{"name": "Web", "port": 80}`), []string{"warn lxc_configs.1.traefik_service.name"}},
		{"underscore", service(`{"name": "web_1", "port": 80}`), []string{"error lxc_configs.1.traefik_service.name"}},
		{"dhcp", lxc(`"start_at_boot": true, "network_config": {"ip": "dhcp"}, "traefik_service": {"name": "web", "port": 80}`), []string{"error lxc_configs.1.traefik_service"}},
		{"static only beside", lxc(`"start_at_boot": true, "network_config": {"ip": "dhcp"}, "secondary_network_config": {"ip": "10.1.0.1/24"}, "traefik_service": {"name": "web", "port": 80}`),
			[]string{"error lxc_configs.1.traefik_service"}},
		{"not booted", lxc(`"network_config": {"ip": "10.0.0.5/24"}, "traefik_service": {"name": "web", "port": 80}`), []string{"warn lxc_configs.1.start_at_boot"}},
		{"mapped port", lxc(rest + `, "ports": ["8001:8000"], "traefik_service": {"name": "web", "port": 8000}`), []string{"info lxc_configs.1.ports"}},
		{"agent without address", []string{`{"vms": [{"vmid": 1, "portainer_agent_hostname": "a.lab.test"}]}`}, []string{"error vms[0].portainer_agent_hostname"}},
	})
}

func TestRuleLabels(t *testing.T) {
	labels := func(s string) []string {
		return []string{fmt.Sprintf(`{"environments": {"prod": {"services": {"web": {"traefik_labels": [%s]}}}}}`, s)}
	}
	const at = "environments.prod.services.web.traefik_labels"
	checkRule(t, ruleLabels, []ruleTest{
		{"sane", labels("\"traefik.http.routers.a.rule=Host(`a.lab.test`)\", \"traefik.http.services.a.loadbalancer.server.port=80\""), nil},
		{"references", labels(`"traefik.http.routers.a.entrypoints=web", "traefik.http.routers.a.tls.certresolver=le", "traefik.http.routers.a.middlewares=auth"`),
			[]string{"warn " + at + "[0]", "error " + at + "[1]", "warn " + at + "[2]"}},
		{"no host", labels("\"traefik.http.routers.a.rule=PathPrefix(`/`)\""), []string{"error " + at + "[0]"}},
		{"a path", labels("\"traefik.http.routers.a.rule=Host(`a.lab.test`) && Path(`/x`)\", \"traefik.http.services.a.loadbalancer.server.port=80\""), []string{"warn " + at + "[0]"}},
		{"no port", labels("\"traefik.http.routers.a.rule=Host(`a.lab.test`)\""), []string{"error " + at + "[0]"}},
	})
}

func TestRuleCAName(t *testing.T) {
	checkRule(t, ruleCAName, []ruleTest{
		{"by its feature", []string{`{"lxc_configs": {"1": {"features": ["step_ca"], "traefik_service": {"name": "x"}}}}`}, []string{"error lxc_configs.1.traefik_service"}},
		{"by its name", []string{`{"domain_name": "lab.test", "step_ca": {"dns_name": "pki.lab.test"}}`, `{"vms": [{"vmid": 1, "traefik_service": {"name": "pki"}}]}`}, []string{"error vms[0].traefik_service"}},
		{"not routed", []string{`{"lxc_configs": {"1": {"features": ["step_ca"]}}}`}, nil},
	})
}

func TestRuleCoverage(t *testing.T) {
	const guests = `{"lxc_configs": {"1": {"network_config": {"ip": "10.0.0.5/24"}, "traefik_service": {"name": "web", "port": 80}},
		"2": {"network_config": {"ip": "10.0.0.6/24"}, "traefik_service": {"name": "a.b", "port": 80, "scheme": "https"}}}}`
	checkRule(t, ruleCoverage, []ruleTest{
		{"no manifest", []string{hyper, guests}, nil},
		{"wildcard", []string{hyper, guests, `[{"common_name": "*.lab.test"}, {"common_name": "x.b.lab.test", "sans": ["*.b.lab.test"], "guest_id": 2}]`}, nil},
		{"https without its own", []string{hyper, guests, `[{"common_name": "*.lab.test"}, {"common_name": "x.b.lab.test", "sans": ["*.b.lab.test"]}]`}, []string{"error guest 2"}},
		{"own names", []string{hyper, guests, `[{"common_name": "x", "sans": ["WEB.lab.test", "a.b.lab.test"]}]`}, nil},
		{"client's only", []string{hyper, guests, `[{"common_name": "web.lab.test", "cert_type": "client"}, {"common_name": "a.b.lab.test"}]`}, []string{"error guest 1"}},
		{"by its command", []string{hyper, guests, `[{"common_name": "*.lab.test", "post_renewal_command": "pct exec 2 -- true"}, {"common_name": "x", "sans": ["*.b.lab.test", "a.b.lab.test"]}]`}, nil},
	})
}
