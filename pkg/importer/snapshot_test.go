package importer

import (
	"encoding/json"
	"net/netip"
	"os"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

// finding is one known mistake in a snapshot of a real installation.
type finding struct {
	Code, File, Path, Detail string
	Level                    Level
}

// route is what a snapshot is known to publish.
type route struct {
	Name, Host, IP string
	Port           int
	Declared       string `json:"scheme_declared"`
	Generated      string `json:"scheme_generated"`
}

func snapshots(t *testing.T) map[string]struct {
	Findings []finding
	Services []route
} {
	t.Helper()
	raw, err := os.ReadFile(testenv.Shared(t, "real-input", "findings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Findings []finding
		Services []route
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSnapshotFindings holds the rules to every known error and warning in the
// snapshots.
func TestSnapshotFindings(t *testing.T) {
	for name, known := range snapshots(t) {
		t.Run(name, func(t *testing.T) {
			r := importShared(t, name)
			type key struct {
				level      Level
				file, path string
			}
			reported := map[key]bool{}
			for _, p := range r.Problems {
				reported[key{p.Level, p.File, p.Path}] = true
				if p.Message == "" || p.Hint == "" && p.Level != Info {
					t.Errorf("%s %s lacks a message or a hint", p.File, p.Path)
				}
			}
			expected := map[key]bool{}
			for _, f := range known.Findings {
				k := key{f.Level, f.File, f.Path}
				expected[k] = true
				if f.Level != Info && !reported[k] {
					t.Errorf("not reported: %s %s %s (%s: %s)", f.Level, f.File, f.Path, f.Code, f.Detail)
				}
			}
			for _, p := range r.Problems {
				if p.Level != Info && !expected[key{p.Level, p.File, p.Path}] {
					t.Logf("more than known: %s %s %s: %s", p.Level, p.File, p.Path, p.Message)
				}
			}
		})
	}
}

// TestSnapshotServices holds the services to the known routes.
func TestSnapshotServices(t *testing.T) {
	for name, known := range snapshots(t) {
		t.Run(name, func(t *testing.T) {
			r := importShared(t, name)
			for _, want := range known.Services {
				checkRoute(t, r, want)
			}
		})
	}
}

func checkRoute(t *testing.T, r Result, want route) {
	t.Helper()
	var got *Service
	for i, s := range r.Services {
		if len(s.Hosts) == 1 && s.Hosts[0] == want.Host {
			got = &r.Services[i]
		}
	}
	if got == nil {
		t.Errorf("%s is not listed", want.Host)
		return
	}
	if _, err := netip.ParseAddr(want.IP); err != nil {
		if got.State != events.StateFailed || got.Why == "" {
			t.Errorf("%s has no address, but is %s (%q)", want.Host, got.State, got.Why)
		}
		return
	}
	if got.State == events.StateFailed {
		t.Logf("%s is left out: %s", want.Host, got.Why)
		return
	}
	scheme := want.Declared
	if scheme == "" {
		scheme = want.Generated
	}
	backend := config.Backend{Scheme: scheme, Address: want.IP, Port: want.Port}
	for _, s := range r.Stack.Services {
		if s.Name == got.Name {
			if *s.Backend != backend {
				t.Errorf("%s leads to %+v, want %+v", want.Host, *s.Backend, backend)
			}
			return
		}
	}
	t.Errorf("%s is pending, but not in the stack", want.Host)
}

// TestSnapshotStack checks that what is written can be read and is complete.
func TestSnapshotStack(t *testing.T) {
	for name := range snapshots(t) {
		r := importShared(t, name)
		raw, err := r.YAML()
		if err != nil {
			t.Fatal(err)
		}
		stack, err := config.Parse("phoenix.yaml", raw)
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		pending := 0
		for _, s := range r.Services {
			if s.State == events.StatePending {
				pending++
			}
		}
		if len(stack.Services) != pending || pending == 0 {
			t.Errorf("%d services are written, %d are pending", len(stack.Services), pending)
		}
	}
}

// importShared imports a folder of the shared input.
func importShared(t *testing.T, folder string) Result {
	t.Helper()
	r, err := Import(testenv.Shared(t, "real-input", folder))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
