package testenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

// probe is a test that records how it ends.
type probe struct {
	testing.TB
	outcome string
}

func (p *probe) Helper() {}

func (p *probe) Skip(args ...any) {
	p.outcome = "skipped: " + fmt.Sprint(args...)
	runtime.Goexit()
}

func (p *probe) Fatalf(format string, args ...any) {
	p.outcome = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// outcome runs use as a test and says how it ended: with a path, skipped or failed.
func outcome(t *testing.T, use func(testing.TB) string) string {
	t.Helper()
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.outcome = use(p)
	}()
	<-done
	return p.outcome
}

// layout makes a project with shared input beside it, and returns the folder
// that holds both.
func layout(t *testing.T) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"project/pkg/deep", "shared/input"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "project/go.work"), []byte("go 1.26.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return top
}

func TestMissing(t *testing.T) {
	tests := []struct {
		name string
		use  func(testing.TB) string
		want string
	}{
		{"Traefik", testenv.Traefik, "make traefik"},
		{"tool", func(t testing.TB) string { return testenv.Tool(t, "nats") }, "no nats in $PATH"},
		{"shared", func(t testing.TB) string { return testenv.Shared(t, "absent") }, "no shared input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			t.Chdir(filepath.Join(layout(t), "project"))
			for ci, begin := range map[string]string{"": "skipped: ", "true": "failed: "} {
				t.Setenv("CI", ci)
				got := outcome(t, tt.use)
				if !strings.HasPrefix(got, begin) || !strings.Contains(got, tt.want) {
					t.Errorf("with CI=%q the test %q, want it %s with %q in the reason", ci, got, begin, tt.want)
				}
			}
		})
	}
}

func TestTool(t *testing.T) {
	bin := t.TempDir()
	want := filepath.Join(bin, "step")
	if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	if got := testenv.Tool(t, "step"); got != want {
		t.Errorf("Tool() = %s, want %s", got, want)
	}
}

func TestShared(t *testing.T) {
	top := layout(t)
	want := filepath.Join(top, "shared", "input")
	for _, folder := range []string{"project", "project/pkg", "project/pkg/deep"} {
		t.Chdir(filepath.Join(top, folder))
		if got := testenv.Shared(t, "input"); got != want {
			t.Errorf("Shared() in %s = %s, want %s", folder, got, want)
		}
	}
}

func TestSharedOutsideProject(t *testing.T) {
	t.Setenv("CI", "")
	t.Chdir(t.TempDir())
	got := outcome(t, func(t testing.TB) string { return testenv.Shared(t) })
	if !strings.HasPrefix(got, "skipped: no go.work") {
		t.Errorf("outside the project the test %q, want it skipped", got)
	}
}
