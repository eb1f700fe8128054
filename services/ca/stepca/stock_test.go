package stepca_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// TestStockServerWorksOnIt runs step-ca as its makers assemble it on our folder,
// and finds what it signed when ours runs again.
func TestStockServerWorksOnIt(t *testing.T) {
	name := "grafana." + domain
	o := options(t, claim(name))
	if err := open(t, o); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadConfiguration(filepath.Join(o.Folder, "config", "ca.json"))
	if err != nil {
		t.Fatal(err)
	}
	stock, err := ca.New(cfg, ca.WithPassword(password(t, o, "password")), ca.WithQuiet(true))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- stock.Run() }()
	serial := issueFromStock(t, o, name)
	if err := stock.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Fatal(err)
	}

	ours, err := stepca.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ours.Close() }()
	all, err := ours.Signed(func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c stepca.Certificate) bool { return c.Serial == serial })
	if i < 0 || all[i].Provisioner != "admin" || all[i].Names[0] != name {
		t.Errorf("it is not among %+v", all)
	}
}

func issueFromStock(t *testing.T, o stepca.Options, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		p, err := ca.NewProvisioner("admin", "", "https://"+o.Listen, password(t, o, "admin_password"), ca.WithRootFile(filepath.Join(o.Folder, "certs", "root_ca.crt")))
		if err == nil {
			got, err := admin{provisioner: p, client: p.Client}.issue(t, name, name)
			p.CloseIdleConnections()
			if err != nil {
				t.Fatal(err)
			}
			return stepca.Serial(got.Leaf.SerialNumber)
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// TestStepCommand drives the CA with the command that people use.
func TestStepCommand(t *testing.T) {
	step := testenv.Tool(t, "step")
	name := "grafana." + domain
	claims := claim(name)
	o := options(t, claims)
	c, _ := serve(t, o)
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), step, args...)
		cmd.Env = append(os.Environ(), "STEPPATH="+o.Folder)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := run(args...)
		if err != nil {
			t.Fatalf("step %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	if out := must("ca", "health"); strings.TrimSpace(out) != "ok" {
		t.Errorf("health: %q", out)
	}
	folder := t.TempDir()
	crt, key := filepath.Join(folder, "crt.pem"), filepath.Join(folder, "key.pem")
	password := filepath.Join(o.Folder, "secrets", "admin_password")
	certificate := func(name string) []string {
		return []string{"ca", "certificate", name, crt, key, "--force", "--provisioner", "admin", "--provisioner-password-file", password}
	}
	must(certificate(name)...)
	if out := must("certificate", "inspect", crt, "--short"); !strings.Contains(out, name) || !strings.Contains(out, "Test Intermediate CA") {
		t.Errorf("inspect: %s", out)
	}
	must("certificate", "verify", crt, "--roots", filepath.Join(o.Folder, "certs", "root_ca.crt"))
	must("ca", "renew", "--force", crt, key)
	must("ca", "rekey", "--force", crt, key)
	if out, err := run(certificate("other." + domain)...); err == nil || !strings.Contains(out, `nobody claims "other.phoenix.localhost"`) {
		t.Errorf("unclaimed: %v\n%s", err, out)
	}
	claims.withdraw()
	if out, err := run("ca", "renew", "--force", crt, key); err == nil || !strings.Contains(out, "nobody claims") {
		t.Errorf("renewal of what is no longer claimed: %v\n%s", err, out)
	}
	if err := c.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}
