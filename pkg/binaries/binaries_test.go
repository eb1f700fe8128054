package binaries_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

// says is a program that prints text on standard output.
func says(text string) string {
	return "#!/bin/sh\ncat <<'END'\n" + text + "\nEND\n"
}

// traefikSays is a program that answers as Traefik of the version does.
func traefikSays(version string) string {
	return says("Version:      " + version + "\nCodename:     cheddar\nGo version:   go1.26.8\nOS/Arch:      linux/amd64")
}

// nginxSays is a program that answers as nginx of the version does.
func nginxSays(version string) string {
	return "#!/bin/sh\necho 'nginx version: nginx/" + version + "' >&2\n"
}

// install writes an executable and returns its path.
func install(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// emptyMachine is an environment with nothing in $PATH and nothing in the
// cache. It returns the one folder in $PATH. The shell's own path is absolute,
// and cat is a shell's neighbour: the fake programs need it.
func emptyMachine(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := os.Symlink("/bin/cat", filepath.Join(bin, "cat")); err != nil {
		t.Fatal(err)
	}
	return bin
}

func TestTraefikVersions(t *testing.T) {
	tests := []struct {
		name    string
		program string
		version string // empty: refused
		reason  string
	}{
		{name: "the release", program: traefikSays("3.6.12"), version: "3.6.12"},
		{name: "ours", program: traefikSays("3.6.12+phoenix"), version: "3.6.12+phoenix"},
		{name: "with a v", program: traefikSays("v3.6.13"), version: "v3.6.13"},
		{name: "a later patch", program: traefikSays("3.6.23"), version: "3.6.23"},
		{name: "an older patch", program: traefikSays("3.6.11"), reason: "is version 3.6.11, want 3.6.12 or a later 3.6"},
		{name: "a release candidate", program: traefikSays("3.6.12-rc.1"), reason: "is version 3.6.12-rc.1"},
		{name: "an older minor version", program: traefikSays("3.5.9"), reason: "is version 3.5.9"},
		{name: "a later minor version", program: traefikSays("3.7.0"), reason: "is version 3.7.0"},
		{name: "its release candidate", program: traefikSays("3.7.0-rc.1"), reason: "is version 3.7.0-rc.1"},
		{name: "another major version", program: traefikSays("2.11.0"), reason: "is version 2.11.0"},
		{name: "a development build", program: traefikSays("dev"), reason: `unknown version "dev"`},
		{name: "something else", program: says("hello"), reason: "does not say that it is Traefik"},
		{name: "a failure", program: "#!/bin/sh\nexit 3\n", reason: "exit status 3"},
		{name: "no executable format", program: "\x00\x01", reason: "exec format error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			emptyMachine(t)
			path := install(t, filepath.Join(t.TempDir(), "traefik"), tt.program)

			got, err := binaries.Traefik(t.Context(), path)

			if tt.version == "" {
				wantFailure(t, err, binaries.ErrVersion, tt.reason, path, "make traefik")
				return
			}
			if want := (binaries.Binary{Path: path, Version: tt.version}); err != nil || got != want {
				t.Errorf("Traefik() = %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

// wantFailure checks the kind of an error and that its text has all the parts.
func wantFailure(t *testing.T, got, want error, parts ...string) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error is %v, want one that is %v", got, want)
	}
	for _, part := range parts {
		if !strings.Contains(got.Error(), part) {
			t.Errorf("error is %q, want %q in it", got, part)
		}
	}
}

func TestTraefikPlaces(t *testing.T) {
	bin := emptyMachine(t)

	_, err := binaries.Traefik(t.Context(), "")
	wantFailure(t, err, binaries.ErrNotFound, "no traefik in $PATH", "phoenix/traefik/3.6.12-", "make traefik")

	cache, err := binaries.TraefikCache()
	if err != nil {
		t.Fatal(err)
	}
	install(t, cache, traefikSays("3.6.12+phoenix"))
	wantPath(t, cache)

	inPath := install(t, filepath.Join(bin, "traefik"), traefikSays("3.5.0"))
	wantPath(t, cache) // what is in $PATH is too old

	install(t, inPath, traefikSays("3.6.12"))
	wantPath(t, inPath)

	if err := os.Remove(cache); err != nil {
		t.Fatal(err)
	}
	install(t, inPath, traefikSays("3.5.0"))
	_, err = binaries.Traefik(t.Context(), "")
	wantFailure(t, err, binaries.ErrNotFound, inPath+" is version 3.5.0", cache)
}

// wantPath checks where Traefik is found when nothing is configured.
func wantPath(t *testing.T, want string) {
	t.Helper()
	got, err := binaries.Traefik(t.Context(), "")
	if err != nil || got.Path != want {
		t.Errorf("Traefik() = %+v, %v, want it at %s", got, err, want)
	}
}

func TestConfiguredPathIsTheOnlyOne(t *testing.T) {
	bin := emptyMachine(t)
	install(t, filepath.Join(bin, "traefik"), traefikSays("3.6.12"))
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "missing"), folder, plain, filepath.Join(plain, "below")} {
		_, err := binaries.Traefik(t.Context(), path)
		wantFailure(t, err, binaries.ErrNotFound, path, "correct the path", "make traefik")
	}
}

func TestConfiguredPathMayBeRelative(t *testing.T) {
	bin := emptyMachine(t)
	install(t, filepath.Join(bin, "mine"), traefikSays("3.6.12"))
	t.Chdir(bin)
	got, err := binaries.Traefik(t.Context(), "./mine")
	if want := filepath.Join(bin, "mine"); err != nil || got.Path != want {
		t.Errorf("Traefik() = %+v, %v, want it at %s", got, err, want)
	}
}

func TestConfiguredPathNeedsNoCache(t *testing.T) {
	path := install(t, filepath.Join(emptyMachine(t), "mine"), traefikSays("3.6.12"))
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if got, err := binaries.Traefik(t.Context(), path); err != nil {
		t.Errorf("Traefik() = %+v, %v", got, err)
	}
	_, err := binaries.Traefik(t.Context(), "")
	wantFailure(t, err, binaries.ErrNotFound, "HOME")
}

func TestCancelledIsNotMissing(t *testing.T) {
	path := install(t, filepath.Join(emptyMachine(t), "traefik"), traefikSays("3.6.12"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, configured := range []string{"", path} {
		_, err := binaries.Traefik(ctx, configured)
		if !errors.Is(err, context.Canceled) || errors.Is(err, binaries.ErrNotFound) || errors.Is(err, binaries.ErrVersion) {
			t.Errorf("Traefik(%q) fails with %v, want context.Canceled alone", configured, err)
		}
	}
}

func TestNginxVersions(t *testing.T) {
	tests := []struct {
		name    string
		program string
		version string // empty: refused
		reason  string
	}{
		{name: "Debian 12", program: nginxSays("1.22.1"), version: "1.22.1"},
		{name: "with the distribution's name", program: nginxSays("1.24.0 (Ubuntu)"), version: "1.24.0"},
		{name: "mainline", program: nginxSays("1.29.4"), version: "1.29.4"},
		{name: "Debian 11", program: nginxSays("1.18.0"), reason: "is version 1.18.0, want 1.22.0 or later"},
		{name: "another server", program: "#!/bin/sh\necho 'nginx version: openresty/1.25.3.1' >&2\n", reason: "does not say that it is nginx"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := install(t, filepath.Join(emptyMachine(t), "nginx"), tt.program)

			got, err := binaries.Nginx(t.Context(), path)

			if tt.version == "" {
				wantFailure(t, err, binaries.ErrVersion, tt.reason, path, "apt-get install nginx")
				return
			}
			if want := (binaries.Binary{Path: path, Version: tt.version}); err != nil || got != want {
				t.Errorf("Nginx() = %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestNginxInPath(t *testing.T) {
	want := install(t, filepath.Join(emptyMachine(t), "nginx"), nginxSays("1.22.1"))
	if got, err := binaries.Nginx(t.Context(), ""); err != nil || got.Path != want {
		t.Errorf("Nginx() = %+v, %v, want it at %s", got, err, want)
	}
}

func TestNginxOutsidePath(t *testing.T) {
	if _, err := os.Stat("/usr/sbin/nginx"); err != nil {
		t.Skip("nginx is not installed:", err)
	}
	emptyMachine(t)
	got, err := binaries.Nginx(t.Context(), "")
	if err != nil || got.Path != "/usr/sbin/nginx" {
		t.Errorf("Nginx() = %+v, %v, want /usr/sbin/nginx", got, err)
	}
}
