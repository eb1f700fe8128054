package blueprint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/config"
)

var update = flag.Bool("update", false, "write the golden files")

func site(block string) Site {
	return Site{
		Addresses: block, Driver: "local", Bus: "tls://" + block + ".100:4222", Units: "unix:/home/phoenix/host.sock",
		Programs: "/opt/phoenix/bin", Traefik: "/opt/phoenix/traefik", Nginx: "/usr/sbin/nginx",
		Env:  []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317"},
		Root: func(id int) string { return fmt.Sprintf("/home/phoenix/containers/%d", id) },
	}
}

func TestContainersMatchGolden(t *testing.T) {
	other := config.Default()
	other.Stack, other.Domain, other.Addresses, other.Traefik, other.CA.Name = "lab", "lab.test", "127.17.2", "/own/traefik", "Lab"
	for _, tt := range []struct {
		name  string
		site  Site
		stack config.Stack
	}{
		{"default", site("127.0.1"), config.Default()},
		{"other", site("127.17.2"), other},
	} {
		for _, c := range tt.site.Containers(tt.stack) {
			golden(t, fmt.Sprintf("%s-%s.yaml", tt.name, c.Role), render(t, c))
		}
	}
}

// render shows everything of a container.
func render(t *testing.T, c Container) string {
	t.Helper()
	raw, err := c.Config.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("# container %d %s %s %s %s %v\n# unit %s %q %q %s enabled=%t\n%s",
		c.ID, c.Role, c.Name, c.Identity, c.Address, c.Ports, c.Unit.Name, c.Unit.Exec, c.Unit.Env, c.Unit.Dir, c.Unit.Enabled, raw)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestConfigurationsAreValid(t *testing.T) {
	for _, c := range site("127.0.1").Containers(config.Default()) {
		if err := c.Config.Validate(c.Identity); err != nil {
			t.Errorf("container %d: %v", c.ID, err)
		}
		if err := c.Unit.Validate(); err != nil {
			t.Errorf("container %d: %v", c.ID, err)
		}
	}
}

func TestFrontDoor(t *testing.T) {
	url, dial := site("127.17.2").FrontDoor(config.Default())
	if url != "https://gateway.phoenix.localhost:8443/" || dial != "127.17.2.101:8443" {
		t.Errorf("front door is %s at %s", url, dial)
	}
}

func TestCheck(t *testing.T) {
	other := config.Default()
	other.Addresses = "127.0.9"
	foreign := config.Default()
	foreign.Driver = "proxmox"
	for _, tt := range []struct {
		stack config.Stack
		want  string
	}{{config.Default(), ""}, {other, "addresses 127.0.9"}, {foreign, "driver proxmox"}} {
		err := site("127.0.1").Check(tt.stack)
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}
