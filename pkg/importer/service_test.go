package importer

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// settleText imports documents and renders what became of each service as
// "state name hosts backend".
func settleText(t *testing.T, docs ...string) (got []string, problems []Problem) {
	t.Helper()
	inv := inventoryOf(t, docs...)
	services, problems := settle(inv.claims(), inv.domain)
	stack, more := stackOf(services, inv.domain)
	if err := stack.Validate(); err != nil {
		t.Errorf("the stack is not valid: %v", err)
	}
	for _, s := range services {
		line := fmt.Sprintf("%s %s %s", s.State, s.Name, strings.Join(s.Hosts, ","))
		if s.State == events.StatePending {
			line += " " + backendURL(*s.config.Backend)
		} else if s.Why == "" {
			t.Errorf("%s has failed for no reason", s.Name)
		}
		got = append(got, line)
	}
	return got, append(problems, more...)
}

func TestSettle(t *testing.T) {
	guest := func(id int, ip, service string) string {
		return fmt.Sprintf(`{"vmid": %d, "name": "g%d", "network_config": {"ip": %q}, "traefik_service": %s}`, id, id, ip, service)
	}
	vms := func(guests ...string) string { return `{"vms": [` + strings.Join(guests, ",") + `]}` }
	stack := func(labels string) string {
		return `{"docker_stacks": {"board": {"environments": {"production": {"variables": [{"name": "P", "value": "81"}], "services": {"app": {"traefik_labels": [` + labels + `]}}}}}}}`
	}
	const board = "{\"vmid\": 9, \"name\": \"g9\", \"network_config\": {\"ip\": \"10.0.0.9/24\"}, \"docker_stacks\": [\"board\"]}"
	tests := []struct {
		name string
		docs []string
		want []string
	}{
		{"schemes", []string{hyper, vms(
			guest(1, "10.0.0.1/24", `{"name": "a", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "b", "port": 9443}`),
			guest(3, "10.0.0.3/24", `{"name": "c", "port": 9443, "scheme": "http"}`), guest(4, "10.0.0.4", `{"name": "d", "port": "80", "scheme": "https"}`))},
			[]string{
				"pending a a.lab.test http://10.0.0.1:80", "pending b b.lab.test https://10.0.0.2:9443",
				"pending c c.lab.test http://10.0.0.3:9443", "pending d d.lab.test https://10.0.0.4:80",
			}},
		{"names", []string{hyper, vms(
			guest(1, "10.0.0.1/24", `{"name": "Qwen2.5_x", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "qwen2.5", "port": 80}`),
			guest(3, "10.0.0.3/24", `{"name": "qwen2-5", "port": 80}`), guest(4, "10.0.0.4/24", `{"port": 80}`))},
			[]string{
				"pending qwen2-5-x qwen2-5-x.lab.test http://10.0.0.1:80", "pending qwen2-5 qwen2.5.lab.test http://10.0.0.2:80",
				"pending qwen2-5-3 qwen2-5.lab.test http://10.0.0.3:80", "failed g4 g4.lab.test",
			}},
		{"hostile names", []string{hyper, vms(
			guest(1, "10.0.0.1/24", `{"name": "../x", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "{{x}}", "port": 80}`),
			guest(3, "10.0.0.3/24", `{"name": "a\nb", "port": 80}`), guest(4, "10.0.0.4/24", `{"name": "*", "port": 80}`), guest(5, "10.0.0.5/24", `{"name": "...", "port": 80}`))},
			[]string{"failed ../x ../x.lab.test", "failed {{x}} {{x}}.lab.test", "failed a\nb a\nb.lab.test", "failed * *.lab.test", "failed ... ....lab.test"}},
		{"no address, port or scheme", []string{hyper, vms(
			guest(1, "dhcp", `{"name": "a", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "b", "port": 0}`),
			guest(3, "10.0.0.3/24", `{"name": "c", "port": 80, "scheme": "ftp"}`), guest(4, "10.0.0.4/24", `"web"`))},
			[]string{"failed a a.lab.test", "failed b b.lab.test", "failed c c.lab.test", "failed g4 g4.lab.test"}},
		{"addresses that no backend may have", []string{hyper, vms(guest(1, "169.254.169.254/16", `{"name": "a", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "b", "port": 80}`))},
			[]string{"failed a a.lab.test", "pending b b.lab.test http://10.0.0.2:80"}},
		{"own names of the stack", []string{hyper, vms(guest(1, "10.0.0.1/24", `{"name": "ca", "port": 80}`))}, []string{"failed ca ca.lab.test"}},
		{"one host, two guests", []string{hyper, vms(guest(1, "10.0.0.1/24", `{"name": "a", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "A", "port": 80}`))},
			[]string{"pending a a.lab.test http://10.0.0.1:80", "failed a-2 a.lab.test"}},
		{"the first cannot be served", []string{hyper, vms(guest(1, "dhcp", `{"name": "a", "port": 80}`), guest(2, "10.0.0.2/24", `{"name": "a", "port": 80}`))},
			[]string{"failed a a.lab.test", "pending a-2 a.lab.test http://10.0.0.2:80"}},
		{"agent", []string{hyper, `{"vms": [{"vmid": 1, "name": "docker", "network_config": {"ip": "10.0.0.1/24"}, "portainer_agent_hostname": "agent.lab.test"}]}`},
			[]string{"pending docker agent.lab.test https://10.0.0.1:9001"}},
		{"stack", []string{hyper, vms(board), stack("\"traefik.http.routers.r.rule=Host(`app.lab.test`) || Host(`b.lab.test`, `app.lab.test`)\", \"traefik.http.services.s.loadbalancer.server.port=${P}\"")},
			[]string{"pending app app.lab.test,b.lab.test http://10.0.0.9:81"}},
		{"two routers, two services", []string{hyper, vms(board), stack("\"traefik.http.routers.r.rule=Host(`r.lab.test`)\", \"traefik.http.routers.s.rule=Host(`s.lab.test`)\", \"traefik.http.routers.s.service=t\"," +
			"\"traefik.http.services.r.loadbalancer.server.port=81\", \"traefik.http.services.t.loadbalancer.server.port=82\", \"traefik.http.services.t.loadbalancer.server.scheme=https\"")},
			[]string{"pending app r.lab.test http://10.0.0.9:81", "pending board-app s.lab.test https://10.0.0.9:82"}},
		{"stack nobody deploys", []string{hyper, stack("\"traefik.http.routers.r.rule=Host(`app.lab.test`)\", \"traefik.http.services.s.loadbalancer.server.port=80\"")}, []string{"failed app app.lab.test"}},
		{"disabled", []string{hyper, vms(board), stack("\"traefik.enable=false\", \"traefik.http.routers.r.rule=Host(`app.lab.test`)\"")}, nil},
		{"host of another domain", []string{hyper, vms(board), stack("\"traefik.http.routers.r.rule=Host(`app.example.org`)\", \"traefik.http.services.s.loadbalancer.server.port=80\"")}, []string{"failed app app.example.org"}},
		{"stack repeats a guest's service", []string{hyper, vms(`{"vmid": 9, "network_config": {"ip": "10.0.0.9/24"}, "docker_stacks": ["board"], "traefik_service": {"name": "app", "port": 80}}`),
			stack("\"traefik.http.routers.r.rule=Host(`app.lab.test`)\", \"traefik.http.services.s.loadbalancer.server.port=80\"")}, []string{"pending app app.lab.test http://10.0.0.9:80"}},
		{"stack contradicts a guest's service", []string{hyper, vms(`{"vmid": 9, "network_config": {"ip": "10.0.0.9/24"}, "docker_stacks": ["board"], "traefik_service": {"name": "app", "port": 80}}`),
			stack("\"traefik.http.routers.r.rule=Host(`app.lab.test`)\", \"traefik.http.services.s.loadbalancer.server.port=81\"")}, []string{"pending app app.lab.test http://10.0.0.9:80", "failed board-app app.lab.test"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := settleText(t, tt.docs...)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestConflictIsReportedOnBothSides(t *testing.T) {
	_, problems := settleText(t, hyper, `{"vms": [
		{"vmid": 1, "network_config": {"ip": "10.0.0.1/24"}, "traefik_service": {"name": "a", "port": 80}},
		{"vmid": 2, "network_config": {"ip": "10.0.0.2/24"}, "traefik_service": {"name": "a", "port": 80}}]}`)
	var got []string
	for _, p := range problems {
		got = append(got, string(p.Level)+" "+p.Path)
	}
	want := []string{"error vms[1].traefik_service", "info vms[0].traefik_service"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDefaultEnvironment(t *testing.T) {
	for in, want := range map[string]string{
		`{"environments": {"test": {}, "production": {}}}`: "production",
		`{"environments": {"test": {}, "prod": {}}}`:       "prod",
		`{"environments": {"b": {}, "a": {}}}`:             "b",
		`{"environments": {}}`:                             "",
	} {
		if got := defaultEnvironment(inventoryOf(t, in).stacks[0]); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestChooseDomain(t *testing.T) {
	const guests = `{"vms": [{"vmid": 1, "traefik_service": {"name": "a"}}, {"vmid": 2, "traefik_service": {"name": "b"}}]}`
	tests := []struct {
		name string
		docs []string
		want string
	}{
		{"stated", []string{`{"domain_name": "Lab.test"}`, guests}, "lab.test"},
		{"stated, no other known", []string{`{"domain_name": "lab.test"}`, guests, `[{"common_name": "x.other.test"}]`}, "lab.test"},
		{"another is used", []string{`{"domain_name": "lab.test"}`, guests, `[{"common_name": "a.inner.lab.test"}]`}, "inner.lab.test"},
		{"both are used alike", []string{`{"domain_name": "lab.test"}`, guests, `[{"common_name": "a.inner.lab.test"}, {"common_name": "b.lab.test"}]`}, "lab.test"},
		{"by DNS records", []string{`{"domain_name": "lab.test", "dns_server": {"authoritative_zones": [{"zone_name": "lab.test", "records": [{"hostname": "a"}]},
			{"zone_name": "in.test", "records": [{"hostname": "a"}, {"hostname": "b"}]}]}}`, guests}, "in.test"},
		{"by labels alone", []string{"{\"environments\": {\"p\": {\"services\": {\"s\": {\"traefik_labels\": [\"traefik.http.routers.r.rule=Host(`a.lab.test`) || Host(`x.a.lab.test`)\"]}}}}}"}, "lab.test"},
		{"not valid", []string{`{"domain_name": "no domain"}`, guests}, "phoenix.localhost"},
		{"nothing", []string{guests}, "phoenix.localhost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := inventoryOf(t, tt.docs...).domain; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRuleDomain(t *testing.T) {
	const guests = `{"vms": [{"vmid": 1, "traefik_service": {"name": "a"}}]}`
	checkRule(t, ruleDomain, []ruleTest{
		{"sane", []string{`{"domain_name": "lab.test"}`, guests}, nil},
		{"none", []string{`{"network": {}, "zfs": {}}`, guests}, []string{"warn domain_name"}},
		{"not valid", []string{`{"domain_name": "a b"}`, guests}, []string{"error domain_name"}},
		{"another is used", []string{`{"domain_name": "lab.test"}`, guests, `[{"common_name": "a.inner.lab.test"}]`}, []string{"error domain_name"}},
		{"no file states it", []string{guests}, []string{"info "}},
	})
}

func TestCovered(t *testing.T) {
	tests := []struct {
		host, san string
		want      bool
	}{
		{"a.lab.test", "a.lab.test", true},
		{"A.lab.test", "a.LAB.test", true},
		{"a.lab.test", "*.lab.test", true},
		{"a.b.lab.test", "*.lab.test", false},
		{"lab.test", "*.lab.test", false},
		{"a.lab.test", "*", false},
		{"a.lab.test", "", false},
	}
	for _, tt := range tests {
		if got := covered(tt.host, tt.san); got != tt.want {
			t.Errorf("covered(%q, %q) = %t", tt.host, tt.san, got)
		}
	}
}
