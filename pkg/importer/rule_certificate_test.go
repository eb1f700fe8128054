package importer

import (
	"encoding/json"
	"fmt"
	"testing"
)

const paths = `"cert_path": "/c", "key_path": "/k"`

func TestRuleCertificates(t *testing.T) {
	cert := func(s string) []string {
		return []string{hyper, `{"lxc_configs": {"1": {"name": "Box", "features": ["proxy"], "network_config": {"ip": "10.0.0.5/24"}, "traefik_service": {"name": "web"}}}}`,
			fmt.Sprintf(`[{%s, %s}]`, s, paths)}
	}
	checkRule(t, ruleCertificates, []ruleTest{
		{"of a route", cert(`"common_name": "web.lab.test", "sans": ["web.lab.test", "10.0.0.5"]`), nil},
		{"of a guest", cert(`"common_name": "box.lab.test"`), nil},
		{"of a guest's purpose", cert(`"common_name": "proxy.lab.test"`), nil},
		{"by a wildcard", cert(`"common_name": "web.lab.test", "sans": ["*.lab.test"]`), nil},
		{"of nobody", cert(`"common_name": "old.lab.test"`), []string{"warn [0].common_name"}},
		{"no host name", cert(`"common_name": "my-proxy"`), []string{"warn [0].common_name", "warn [0].common_name"}},
		{"no name", cert(`"common_name": ""`), []string{"error [0].common_name"}},
		{"not among its names", cert(`"common_name": "web.lab.test", "sans": ["10.0.0.5"]`), []string{"error [0].sans"}},
		{"a name that is none", cert(`"common_name": "web.lab.test", "sans": ["web.lab.test", "no name"]`), []string{"error [0].sans[1]"}},
		{"a client's, unsaid", cert(`"common_name": "web-client.lab.test"`), []string{"warn [0].common_name", "warn [0]"}},
		{"a client's", cert(`"common_name": "web-client.lab.test", "cert_type": "client"`), []string{"warn [0].common_name"}},
		{"other kind of guest", cert(`"common_name": "web.lab.test", "guest_id": 1, "guest_type": "vm"`), []string{"error [0].guest_type"}},
		{"nowhere to go", []string{`[{"common_name": "web.lab.test"}]`}, []string{"error [0].cert_path", "error [0].key_path"}},
	})
}

func TestRuleCommands(t *testing.T) {
	const at = "[0].post_renewal_command"
	command := func(s string) []string {
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return []string{`{"lxc_configs": {"1": {}}}`, `{"vms": [{"vmid": 2}]}`,
			fmt.Sprintf(`[{"common_name": "a.lab.test", "owner": "root:web", "guest_id": 1, "post_renewal_command": %s, %s}]`, quoted, paths)}
	}
	checkRule(t, ruleCommands, []ruleTest{
		{"sane", command(`pct exec 1 -- sh -c 'mv /run/stage/key.pem /etc/k.key && chown root:web /etc/k.key && chmod 640 /etc/k.key && chmod 644 /etc/k.crt && systemctl reload web'`), nil},
		{"nothing reloaded", command(`cp a b`), []string{"warn " + at}},
		{"none", command(``), []string{"warn " + at}},
		{"docker", command(`docker service update --force x`), nil},
		{"secret in use", command(`docker secret rm x; docker secret create x f; docker service update --force y`), []string{"error " + at}},
		{"key left behind", command(`docker secret create k /run/stage/key.pem; systemctl restart x`), []string{"error " + at}},
		{"key removed", command(`docker secret create k /run/stage/key.pem; rm -f /run/stage/key.pem; systemctl restart x`), nil},
		{"key removed with its folder", command(`cp /run/stage/key.pem /etc/k; rm -rf /run/stage; systemctl restart x`), nil},
		{"key for everybody", command(`chmod 644 /etc/k.key /etc/k.crt; systemctl restart x`), []string{"error " + at}},
		{"endless wait", command(`while ! test -f /x; do sleep 1; done; systemctl restart x`), []string{"error " + at}},
		{"bounded wait", command(`n=0; while [ $n -lt 9 ]; do sleep 1; done; systemctl restart x`), nil},
		{"other owner", command(`chown root:root /x; systemctl restart x`), []string{"error [0]"}},
		{"other guest", command(`pct exec 7 -- systemctl restart x`), []string{"error " + at}},
		{"permissions", []string{`[{"common_name": "a", "post_renewal_command": "systemctl reload a", "permissions": "644"}, {"common_name": "b", "post_renewal_command": "systemctl reload b", "permissions": 600},
			{"common_name": "c", "post_renewal_command": "systemctl reload c", "permissions": {"cert": "644", "key": "644"}}]`}, []string{"error [0].permissions", "error [2].permissions.key"}},
		{"other kind of guest", []string{noLXC, `{"vms": [{"vmid": 2}]}`, `[{"common_name": "a", "post_renewal_command": "pct exec 2 -- systemctl reload a"}]`}, []string{"error " + at}},
		{"missing guest", []string{noLXC, `{"vms": [{"vmid": 2}]}`, `[{"common_name": "a", "post_renewal_command": "qm guest exec 3 -- systemctl reload a"}]`}, []string{"error " + at}},
	})
}
