package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

// imported is the contract's JSON of phoenix-cli import.
type imported struct {
	Services []struct {
		Name  string
		Hosts []string
		State string
		Why   string
	}
	Problems []struct{ Level, File, Path, Message, Hint string }
	Written  string
}

// Every service of an older system's configuration that can be served is
// served, and those that can't are named with the reason.
func TestImportedServicesAreServed(t *testing.T) {
	folders := map[string]string{"example": filepath.Join("..", "..", "examples", "older-system")}
	for _, snapshot := range []string{"2025-10-21", "2025-11-25"} {
		folders[snapshot] = ""
	}
	for name, folder := range folders {
		t.Run(name, func(t *testing.T) {
			if folder == "" {
				folder = testenv.Shared(t, "real-input", name)
			}
			serveImported(t, folder)
		})
	}
}

func serveImported(t *testing.T, folder string) {
	s := newStack(t)
	config := filepath.Join(t.TempDir(), "phoenix.yaml")
	r := s.cli("import", folder, "--out", config, "-o", "json")
	var in imported
	if err := json.Unmarshal([]byte(r.stdout), &in); err != nil {
		t.Fatalf("import: %v %s", err, r)
	}
	if _, err := os.Stat(config); err != nil || in.Written == "" {
		t.Fatalf("nothing written: %v %+v", err, in.Written)
	}
	if len(in.Services) == 0 {
		t.Fatal("no services")
	}
	s.must("up", "-f", config, "--stand-in-backends")
	client := s.client()
	served := 0
	for _, svc := range in.Services {
		if svc.State == "failed" {
			if svc.Why == "" {
				t.Errorf("%s failed without a reason", svc.Name)
			}
			t.Logf("%s is not served: %s", svc.Name, svc.Why)
			continue
		}
		for _, host := range svc.Hosts {
			s.reach(client, host, svc.Name)
			served++
		}
	}
	t.Logf("%d of %d services, %d hosts served, %d problems told", served, len(in.Services), served, len(in.Problems))
	if served == 0 {
		t.Error("none served")
	}
	for _, svc := range decode[status](s, "status").Services {
		if svc.State != "ready" {
			t.Errorf("%s is %s", svc.Name, svc.State)
		}
	}
}
