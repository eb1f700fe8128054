// Package testenv finds what tests need beside the Go toolchain: Traefik,
// nginx, command-line clients, shared input. A test whose part is missing is
// skipped with the reason; with CI=true it fails, so that green means run.
package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

// Traefik returns the path of Traefik.
func Traefik(t testing.TB) string {
	t.Helper()
	b, err := binaries.Traefik(t.Context(), "")
	if err != nil {
		missing(t, err.Error())
	}
	return b.Path
}

// Nginx returns the path of nginx.
func Nginx(t testing.TB) string {
	t.Helper()
	b, err := binaries.Nginx(t.Context(), "")
	if err != nil {
		missing(t, err.Error())
	}
	return b.Path
}

// Tool returns the path of a command-line client in $PATH, such as "nats" or
// "step", which `make test` puts there.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, "no "+name+" in $PATH: run `make test`, or make tools and `export PATH=$(make -s tools-path):$PATH`")
	}
	return path
}

// Shared returns the path of a file or folder below the folder "shared" that
// lies beside the project's root.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the test's folder: %v", err)
	}
	root, err := rootAbove(folder)
	if err != nil {
		missing(t, err.Error())
	}
	path := filepath.Join(append([]string{filepath.Dir(root), "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		missing(t, "no shared input: "+err.Error())
	}
	return path
}

// rootAbove returns the nearest folder, at or above the given one, that holds
// go.work.
func rootAbove(folder string) (string, error) {
	for dir := folder; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.work at or above " + folder)
		}
	}
}

// missing ends the test: as a failure where everything has to be there, else
// as skipped.
func missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("needed because CI=true: %s", reason)
	}
	t.Skip(reason)
}
