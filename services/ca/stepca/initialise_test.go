package stepca_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.step.sm/crypto/pemutil"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// open opens a CA and closes it again.
func open(t testing.TB, o stepca.Options) error {
	t.Helper()
	ca, err := stepca.Open(t.Context(), o)
	if err != nil {
		return err
	}
	return ca.Close()
}

func TestOpenMakesStandardLayout(t *testing.T) {
	o := options(t, claim())
	ca, err := stepca.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !ca.Created() {
		t.Error("not created")
	}
	before, _ := ca.Root()
	if err := ca.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{
		"config/ca.json", "config/defaults.json", "certs/root_ca.crt", "certs/intermediate_ca.crt",
		"secrets/root_ca_key", "secrets/intermediate_ca_key", "secrets/password", "secrets/root_password", "secrets/admin_password",
	} {
		info, err := os.Stat(filepath.Join(o.Folder, f))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	for _, f := range []string{".", "config", "certs", "secrets", "db"} {
		info, err := os.Stat(filepath.Join(o.Folder, f))
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	again, err := stepca.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if after, _ := again.Root(); again.Created() || after != before {
		t.Error("it was made anew")
	}
}

func TestAuthorityCertificates(t *testing.T) {
	o := options(t, claim())
	if err := open(t, o); err != nil {
		t.Fatal(err)
	}
	root, err := pemutil.ReadCertificate(filepath.Join(o.Folder, "certs", "root_ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if root.Subject.CommonName != "Test Root CA" || root.MaxPathLen != 1 || !root.IsCA || root.PublicKeyAlgorithm.String() != "ECDSA" {
		t.Errorf("root %v, path length %d", root.Subject, root.MaxPathLen)
	}
	if life := root.NotAfter.Sub(root.NotBefore).Round(time.Hour); life != stepca.DefaultRootLife {
		t.Errorf("root lives %s", life)
	}
	intermediate, err := pemutil.ReadCertificate(filepath.Join(o.Folder, "certs", "intermediate_ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if intermediate.MaxPathLen != 0 || !intermediate.MaxPathLenZero || !intermediate.PermittedDNSDomainsCritical ||
		len(intermediate.PermittedDNSDomains) != 1 || intermediate.PermittedDNSDomains[0] != domain ||
		len(intermediate.PermittedIPRanges) != 1 || intermediate.PermittedIPRanges[0].String() != "127.13.0.0/16" {
		t.Errorf("intermediate permits %v and %v", intermediate.PermittedDNSDomains, intermediate.PermittedIPRanges)
	}
	for key, password := range map[string]string{"root_ca_key": "root_password", "intermediate_ca_key": "password"} {
		path := filepath.Join(o.Folder, "secrets", key)
		if _, err := pemutil.Read(path, pemutil.WithPasswordFile(filepath.Join(o.Folder, "secrets", password))); err != nil {
			t.Errorf("%s with %s: %v", key, password, err)
		}
	}
}

func TestConfigurationFollowsOptions(t *testing.T) {
	o := options(t, claim())
	if err := open(t, o); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.Folder, "config", "ca.json")
	edit(t, path, func(c map[string]any) { c["crl"] = map[string]any{"enabled": true} })
	o.Duration = time.Hour
	if err := open(t, o); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(c map[string]any) {
		claims := c["authority"].(map[string]any)["claims"].(map[string]any)
		if claims["defaultTLSCertDuration"] != "1h0m0s" || claims["maxTLSCertDuration"] != "1h0m0s" || claims["minTLSCertDuration"] != "5m0s" {
			t.Errorf("claims %v", claims)
		}
		if c["crl"] == nil {
			t.Error("what somebody set is gone")
		}
	})
}

func edit(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	change(c)
	if raw, err = json.Marshal(c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	secret := func(name string) func(*testing.T, *stepca.Options) {
		return func(t *testing.T, o *stepca.Options) {
			if err := os.Chmod(filepath.Join(o.Folder, "secrets", name), 0o640); err != nil { //nolint:gosec // the point
				t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		change func(*testing.T, *stepca.Options)
		want   string
	}{
		"key readable by others":      {secret("intermediate_ca_key"), "chmod 600"},
		"password readable by others": {secret("password"), "chmod 600"},
		"secrets open to others": {func(t *testing.T, o *stepca.Options) {
			if err := os.Chmod(filepath.Join(o.Folder, "secrets"), 0o755); err != nil { //nolint:gosec // the point
				t.Fatal(err)
			}
		}, "chmod 700"},
		"key missing": {func(t *testing.T, o *stepca.Options) {
			if err := os.Remove(filepath.Join(o.Folder, "secrets", "intermediate_ca_key")); err != nil {
				t.Fatal(err)
			}
		}, "restore it from a backup"},
		"another domain": {func(_ *testing.T, o *stepca.Options) {
			o.Domains = []string{domain, "example.org"}
		}, "not for example.org"},
		"another range": {func(_ *testing.T, o *stepca.Options) {
			o.Ranges = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		}, "not for 10.0.0.0/8"},
		"address taken": {func(t *testing.T, o *stepca.Options) {
			_, _ = serve(t, func() stepca.Options { other := options(t, claim()); other.Listen = o.Listen; return other }())
		}, "address already in use"},
		"database in use": {func(t *testing.T, o *stepca.Options) {
			other := *o
			other.Listen = acmetest.Free(t)
			_, _ = serve(t, other)
		}, "only one process can have it"},
		"provisioner of our name": {func(t *testing.T, o *stepca.Options) {
			edit(t, filepath.Join(o.Folder, "config", "ca.json"), func(c map[string]any) {
				a := c["authority"].(map[string]any)
				a["provisioners"] = append(a["provisioners"].([]any), map[string]any{"type": "ACME", "name": "bus"})
			})
		}, "rename it"},
		"no names":       {func(_ *testing.T, o *stepca.Options) { o.Names = nil }, "no name"},
		"short lives":    {func(_ *testing.T, o *stepca.Options) { o.Duration = time.Second }, "too short"},
		"long lives":     {func(_ *testing.T, o *stepca.Options) { o.Duration = 20 * 365 * 24 * time.Hour }, "longer than the intermediate"},
		"no such listen": {func(_ *testing.T, o *stepca.Options) { o.Listen = "9000" }, "not host:port"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := options(t, claim())
			if err := open(t, o); err != nil {
				t.Fatal(err)
			}
			tt.change(t, &o)
			contains(t, open(t, o), tt.want)
		})
	}
}

// initialiseForEver makes one CA after the other below the folder of the
// environment until it is killed. It is another process of the test below.
func initialiseForEver() int {
	for i := 0; ; i++ {
		o := stepca.Options{
			Folder: filepath.Join(os.Getenv("STEPCA_INITIALISE"), strconv.Itoa(i), "step"),
			Listen: "203.0.113.1:1", // not ours: there Open ends, after it made the CA
			Names:  []string{"ca." + domain}, Domains: []string{domain},
			Ranges: []netip.Prefix{netip.MustParsePrefix("127.13.0.0/16")}, Claims: claim(), Network: nowhere{},
		}
		if err := os.Mkdir(filepath.Dir(o.Folder), 0o700); err != nil {
			return 1
		}
		if _, err := stepca.Open(context.Background(), o); err == nil {
			return 1
		}
	}
}

func TestCrashWhileInitialisingLeavesNothingOrAll(t *testing.T) {
	for round := range 8 {
		base := t.TempDir()
		crash := exec.CommandContext(t.Context(), os.Args[0])
		crash.Env = append(os.Environ(), "STEPCA_INITIALISE="+base)
		if err := crash.Start(); err != nil {
			t.Fatal(err)
		}
		awaitEntry(t, filepath.Join(base, "1"))
		time.Sleep(time.Duration(round*11) * time.Millisecond) // anywhere in the making of one
		if err := crash.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = crash.Wait()
		made, err := os.ReadDir(base)
		if err != nil {
			t.Fatal(err)
		}
		o := options(t, claim())
		o.Folder = filepath.Join(base, strconv.Itoa(len(made)-1), "step")
		if err := open(t, o); err != nil {
			t.Errorf("after %d: %v", len(made), err)
		}
		if _, err := os.Stat(o.Folder + ".half"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the half-made CA is still there: %v", err)
		}
	}
}

// awaitEntry waits until a path exists.
func awaitEntry(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("no CA was begun")
}
