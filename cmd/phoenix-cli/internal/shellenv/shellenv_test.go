package shellenv

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// stack is one whose home's name is hostile to shells.
func stack(t *testing.T) Stack {
	t.Helper()
	home := filepath.Join(t.TempDir(), `it's "$HOME" ;`)
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	return Stack{
		Home: home, Name: "home", Bus: "tls://127.0.1.100:4222", BusCA: "/bus.crt", Nkey: "/ops.nk",
		CA: "https://127.0.1.103:9000", RootPEM: "OUR ROOT\n",
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWrite(t *testing.T) {
	s := stack(t)
	chosen := write(t, "CHOSEN ROOTS")
	present := map[string]string{"SSL_CERT_FILE": chosen, "NATS_URL": "nats://elsewhere", "NATS_CREDS": "/creds"}
	env, err := Write(s, func(k string) string { return present[k] })
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(s.Home, "env")
	want := Env{
		Set: []Variable{
			{"PHOENIX_HOME", s.Home}, {"NATS_CONTEXT", filepath.Join(folder, "home.json")}, {"STEP_CA_URL", s.CA},
			{"STEP_ROOT", filepath.Join(folder, "root.pem")}, {"SSL_CERT_FILE", filepath.Join(folder, "bundle.pem")},
		},
		Unset: []string{"NATS_URL", "NATS_CREDS"},
	}
	if !reflect.DeepEqual(env, want) {
		t.Errorf("got %+v, want %+v", env, want)
	}
	if got := read(t, filepath.Join(folder, "bundle.pem")); got != "CHOSEN ROOTS\nOUR ROOT\n" {
		t.Errorf("bundle: got %q", got)
	}
	if got := read(t, filepath.Join(folder, "root.pem")); got != "OUR ROOT\n" {
		t.Errorf("root: got %q", got)
	}
	var context map[string]string
	if err := json.Unmarshal([]byte(read(t, filepath.Join(folder, "home.json"))), &context); err != nil {
		t.Fatal(err)
	}
	if context["url"] != s.Bus || context["nkey"] != s.Nkey || context["ca"] != s.BusCA || context["jetstream_api_prefix"] != "BUS.API" {
		t.Errorf("context: got %v", context)
	}
}

// The second time the shell has our own bundle: it must not grow.
func TestWriteAgain(t *testing.T) {
	s := stack(t)
	bundle := filepath.Join(s.Home, "env", "bundle.pem")
	for range 2 {
		if _, err := Write(s, func(k string) string { return map[string]string{"SSL_CERT_FILE": bundle}[k] }); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(read(t, bundle), "OUR ROOT"); got != 1 {
		t.Errorf("our root is there %d times", got)
	}
}

func TestShell(t *testing.T) {
	s := stack(t)
	env, err := Write(s, func(k string) string { return map[string]string{"NATS_URL": "x"}[k] })
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", env.Shell()+`printf '%s|%s' "$PHOENIX_HOME" "${NATS_URL-unset}"`)
	cmd.Env = append(os.Environ(), "NATS_URL=x")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if string(out) != s.Home+"|unset" {
		t.Errorf("got %q", out)
	}
}

func TestUnreadableRoots(t *testing.T) {
	s := stack(t)
	if _, err := Write(s, func(k string) string { return map[string]string{"SSL_CERT_FILE": s.Home}[k] }); err == nil {
		t.Error("got no error for a folder in place of a bundle")
	}
}
