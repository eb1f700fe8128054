package traefik_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (run with -update and review):\n%s", name, got)
	}
}

func static() traefik.Static {
	return traefik.Static{
		HTTPS: "127.0.1.102:8443", API: "127.0.1.102:9091", Gateway: []string{"127.0.1.101"},
		ACMEDirectory: "https://127.0.1.103:9000/acme/acme/directory", RootFile: "/var/lib/phoenix/trust/root.pem",
		Life: 24*time.Hour + time.Minute, Resolvers: 2,
		Storage: "/var/lib/phoenix/acme.json", Dynamic: "/var/lib/phoenix/dynamic",
	}
}

func TestStatic(t *testing.T) {
	got, err := static().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "static.yml", got)
}

func TestStaticRefusesShortLives(t *testing.T) {
	s := static()
	s.Life = 59 * time.Minute
	if _, err := s.Marshal(); err == nil || !strings.Contains(err.Error(), "59m") {
		t.Errorf("error %v", err)
	}
}

func dynamic() traefik.Dynamic {
	return traefik.Dynamic{
		Own: []traefik.Own{{Label: "proxy", Host: "proxy.phoenix.localhost"}, {Label: "gateway", Host: "gateway.phoenix.localhost"}},
		Routes: []traefik.Route{
			{Service: "grafana", Hosts: []string{"g.phoenix.localhost", "grafana.phoenix.localhost"}, Order: []string{"g.phoenix.localhost"}, Servers: []string{"http://127.0.0.1:3000"}},
			{Service: "nas", Hosts: []string{"nas.phoenix.localhost"}, Order: []string{"nas.phoenix.localhost"}, Servers: []string{"https://10.0.0.5:5001", "https://[fd00::5]:5001"}, TLS: &traefik.BackendTLS{RootFile: "/var/lib/phoenix/trust/nas.pem", ServerName: "nas.lan"}},
			{Service: "down", Hosts: []string{"down.phoenix.localhost"}},
		},
		Resolvers:          traefik.ResolverNames(2),
		DefaultCertificate: "/var/lib/phoenix/default.pem", DefaultKey: "/var/lib/phoenix/default-key.pem",
	}
}

func render(t testing.TB, d traefik.Dynamic) []byte {
	t.Helper()
	content, err := d.Render()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestDynamic(t *testing.T) {
	golden(t, "dynamic.yml", render(t, dynamic()))
}

func TestRoutedHosts(t *testing.T) {
	f := traefik.Folder(t.TempDir())
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	if hosts, err := f.RoutedHosts(); err == nil {
		t.Errorf("no file, but hosts %v", hosts)
	}
	for _, d := range []traefik.Dynamic{dynamic(), {}} {
		if err := f.WriteDynamic(render(t, d)); err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, o := range d.Own {
			want[o.Host] = true
		}
		for _, r := range d.Routes {
			for _, h := range r.Hosts {
				want[h] = true
			}
		}
		if hosts, err := f.RoutedHosts(); err != nil || !maps.Equal(hosts, want) {
			t.Errorf("hosts %v, %v; want %v", hosts, err, want)
		}
	}
}

func TestOrderErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traefik.log")
	if found, err := traefik.OrderErrors(path); err != nil || len(found) != 0 {
		t.Errorf("no log: %v, %v", found, err)
	}
	lines := strings.Join([]string{
		`{"level":"info","message":"Starting"}`,
		`{"level":"error","error":"old","domains":["a.test"],"message":"Unable to obtain ACME certificate for domains"}`,
		strings.Repeat("noise ", 60_000),
		`not JSON`,
		`{"level":"error","error":"unable to generate a certificate for the domains [a.test]: error: one or more domains had a problem:\n[a.test] acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: nobody claims a.test, url: \n","domains":["a.test"]}`,
		`{"level":"error","error":"` + strings.Repeat("ü", 1000) + `","domains":["b.test"]}`,
		`{"level":"error","error":"cut`,
	}, "\n")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := traefik.OrderErrors(path)
	if err != nil || len(found) != 2 || len(found["b.test"]) > 310 {
		t.Errorf("found %v, %v", found, err)
	}
	if want := "[a.test] acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: nobody claims a.test"; found["a.test"] != want {
		t.Errorf("a.test: %q, want %q", found["a.test"], want)
	}
}

func TestDynamicIsNeverEmpty(t *testing.T) {
	golden(t, "dynamic-empty.yml", render(t, traefik.Dynamic{}))
}

func TestRevisionAndMarkerStandForContent(t *testing.T) {
	first := dynamic()
	for what, tt := range map[string]struct {
		change           func(*traefik.Dynamic)
		revision, marker bool // whether it is another one
	}{
		"nothing":         {func(*traefik.Dynamic) {}, false, false},
		"attempt":         {func(d *traefik.Dynamic) { d.Attempt++ }, false, true},
		"order":           {func(d *traefik.Dynamic) { d.Routes[0].Order = nil }, false, true},
		"backend":         {func(d *traefik.Dynamic) { d.Routes[0].Servers[0] = "http://127.0.0.1:3001" }, true, true},
		"host":            {func(d *traefik.Dynamic) { d.Routes[0].Hosts = d.Routes[0].Hosts[:1] }, true, true},
		"verification":    {func(d *traefik.Dynamic) { d.Routes[1].TLS.ServerName = "other" }, true, true},
		"no verification": {func(d *traefik.Dynamic) { d.Routes[1].TLS = nil }, true, true},
		"own host":        {func(d *traefik.Dynamic) { d.Own = d.Own[:1] }, true, true},
		"default pair":    {func(d *traefik.Dynamic) { d.DefaultKey = "/elsewhere" }, false, true},
	} {
		d := dynamic()
		tt.change(&d)
		if (d.Revision() != first.Revision()) != tt.revision || (d.Marker() != first.Marker()) != tt.marker {
			t.Errorf("%s: revision %s, marker %s; first %s, %s", what, d.Revision(), d.Marker(), first.Revision(), first.Marker())
		}
		if !strings.Contains(string(render(t, d)), d.Marker()) {
			t.Errorf("%s: the marker is not in the configuration", what)
		}
	}
}

func TestTemplatesNeverReachTraefik(t *testing.T) {
	d := dynamic()
	d.Routes[0].Servers[0] = "http://{{ env `HOME` }}"
	if content, err := d.Render(); err == nil {
		t.Errorf("rendered:\n%s", content)
	}
}
