package importer

import (
	"strings"
	"testing"
)

func TestRuleSecrets(t *testing.T) {
	checkRule(t, ruleSecrets, []ruleTest{
		{"none", []string{`{"domain_name": "a", "users": {"password_hash": "NOT_SET", "hf_token_file": "/etc/t", "admin_password": "", "api_key": null, "token": "/etc/token", "secret": "${FROM_ENV}", "password": "NOT_SET"}}`}, nil},
		{"keys", []string{`{"domain_name": "a", "portainer_api": {"admin_password": "hush$1", "API_KEY": "k", "apiKeys": "no"}}`},
			[]string{"error portainer_api.admin_password", "error portainer_api.API_KEY"}},
		{"variables", []string{`{"environments": {"prod": {"variables": [{"name": "DB_USER", "value": "u"}, {"name": "DB_PASS", "value": "hush"}, {"name": "TOKEN", "value": "$TOKEN"}]}}}`},
			[]string{"error environments.prod.variables[1]"}},
	})
}

func TestSecretsAreNotShown(t *testing.T) {
	inv := inventoryOf(t, `{"domain_name": "a", "x": {"password": "hush-hush"}}`)
	for _, rule := range rules() {
		for _, p := range rule(inv) {
			if strings.Contains(p.Message+p.Hint, "hush") {
				t.Errorf("shown in %q", p.Message)
			}
		}
	}
}

func TestRuleVerification(t *testing.T) {
	checkRule(t, ruleVerification, []ruleTest{
		{"on", []string{`{"endpoints": [{"TLSSkipVerify": false, "verify_ssl": true}]}`}, nil},
		{"off", []string{`{"endpoints": [{"TLSSkipVerify": true}, {"verify_ssl": false}, {"l": "a.insecureSkipVerify=true"}]}`},
			[]string{"warn endpoints[0].TLSSkipVerify", "warn endpoints[1].verify_ssl", "warn endpoints[2].l"}},
	})
}

func TestRuleCAMounts(t *testing.T) {
	const ca = `"103": {"features": ["step_ca"], "mount_points": [{"host_path": "/data/ca/"}]}`
	checkRule(t, ruleCAMounts, []ruleTest{
		{"the CA itself", []string{`{"lxc_configs": {` + ca + `}}`}, nil},
		{"others", []string{`{"lxc_configs": {` + ca + `, "1": {"mount_points": [{"host_path": "/data/web"}, {"host_path": "/data/ca"}, {"host_path": "/data/ca/secrets"}, {"host_path": "/data"},
			{"host_path": "/pool/103/ssl"}, {"host_path": "/data/cab"}]}}}`},
			[]string{"warn lxc_configs.1.mount_points[1]", "warn lxc_configs.1.mount_points[2]", "warn lxc_configs.1.mount_points[3]", "warn lxc_configs.1.mount_points[4]"}},
	})
}
