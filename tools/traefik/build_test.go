package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

// fakeGo is a go command that knows the few calls of a build. It logs them, and
// takes the ACME library from the folder in $FAKE_LEGO. Its Traefik is a script.
const fakeGo = `#!/bin/sh
echo "$* GOWORK=$GOWORK GOFLAGS=$GOFLAGS CGO_ENABLED=$CGO_ENABLED" >>"$FAKE_LOG"
case "$1 $2" in
"mod download") echo "{\"Dir\": \"$FAKE_LEGO\"}" ;;
"mod edit") echo "// edited" >>go.mod ;;
"list -mod=readonly")
	echo "go: downloading example.com/a v1.0.0" >&2
	echo example.com/a
	;;
"build -v")
	echo example.com/a >&2
	if [ -n "$FAKE_FAILURE" ]; then
		echo "$FAKE_FAILURE" >&2
		exit 1
	fi
	test -f lego/providers/dns/zz_gen_dns_providers.go || exit 9
	cp lego/providers/dns/zz_gen_dns_providers.go "$FAKE_LOG.providers"
	printf '#!/bin/sh\necho "Version:      3.6.12+phoenix"\n' >"$4"
	chmod 755 "$4"
	;;
*) exit 8 ;;
esac
`

// machine is an environment in which nothing but a fake go command is there.
type machine struct {
	cache string // the path of Traefik in the cache
	log   string // what the go command was called with
}

// newMachine makes the environment.
func newMachine(t *testing.T) machine {
	t.Helper()
	bin, lego := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(fakeGo), 0o700); err != nil {
		t.Fatal(err)
	}
	providers := filepath.Join(lego, providersFile)
	if err := os.MkdirAll(filepath.Dir(providers), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(providers, []byte("all of them"), 0o400); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("FAKE_LEGO", lego)
	t.Setenv("FAKE_LOG", log)
	cache, err := binaries.TraefikCache()
	if err != nil {
		t.Fatal(err)
	}
	return machine{cache: cache, log: log}
}

// calls returns how often the go command was called.
func (m machine) calls(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(m.log)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}

// wantNothingLeft checks that no folder of a build is in the cache.
func (m machine) wantNothingLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(m.cache)), workPrefix+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the build left %v, %v", left, err)
	}
}

func TestBuild(t *testing.T) {
	m := newMachine(t)
	abandoned := filepath.Join(filepath.Dir(filepath.Dir(m.cache)), workPrefix+"killed")
	if err := os.MkdirAll(abandoned, 0o700); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer

	if err := run(t.Context(), []string{"-o", "json"}, &stdout, &stderr, false); err != nil {
		t.Fatalf("run() = %v\n%s", err, &stderr)
	}

	var got struct{ Path, Version string }
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Path != m.cache || got.Version != "3.6.12+phoenix" {
		t.Errorf("run() reports %+v, want %s of version 3.6.12+phoenix", got, m.cache)
	}
	for _, call := range m.calls(t) {
		if !strings.HasSuffix(call, "GOWORK=off GOFLAGS= CGO_ENABLED=0") {
			t.Errorf("the environment of a call is not clean: %s", call)
		}
	}
	want, err := recipeFile("zz_gen_dns_providers.go")
	if err != nil {
		t.Fatal(err)
	}
	if providers, err := os.ReadFile(m.log + ".providers"); err != nil || !bytes.Equal(providers, want) {
		t.Errorf("the build used the providers %q, %v", providers, err)
	}
	m.wantNothingLeft(t)
}

func TestBuildOnce(t *testing.T) {
	m := newMachine(t)
	for range 2 {
		var stdout, stderr bytes.Buffer
		if err := run(t.Context(), nil, &stdout, &stderr, false); err != nil {
			t.Fatalf("run() = %v\n%s", err, &stderr)
		}
		if got := stdout.String(); got != m.cache+"\n" {
			t.Errorf("run() prints %q, want %s", got, m.cache)
		}
	}
	if got := len(m.calls(t)); got != 4 {
		t.Errorf("the go command was called %d times, want 4: %v", got, m.calls(t))
	}
}

func TestBuildFails(t *testing.T) {
	m := newMachine(t)
	t.Setenv("FAKE_FAILURE", "a.go:1:2: it does not compile")
	var stdout, stderr bytes.Buffer

	err := run(t.Context(), nil, &stdout, &stderr, false)

	if err == nil || !strings.Contains(err.Error(), "it does not compile") || strings.Contains(err.Error(), "example.com/a") {
		t.Errorf("run() = %v, want the complaint and nothing of the progress", err)
	}
	if _, err := os.Stat(m.cache); err == nil {
		t.Error("a failed build is in the cache")
	}
	m.wantNothingLeft(t)
}

func TestBuildWaitsForAnother(t *testing.T) {
	m := newMachine(t)
	cache := filepath.Dir(filepath.Dir(m.cache))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	other := flock.New(filepath.Join(cache, ".lock"))
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	p, out, _ := testProgress(false)

	_, err := ensureBuilt(ctx, m.cache, p)

	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ensureBuilt() = %v, want it to wait", err)
	}
	if !strings.Contains(out.String(), "waiting") {
		t.Errorf("progress shows %q, want that it waits", out)
	}
	if got := m.calls(t); got != nil {
		t.Errorf("while another build runs, the go command was called: %v", got)
	}
}

func TestConfiguredIsNotBuilt(t *testing.T) {
	m := newMachine(t)
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-path", filepath.Join(t.TempDir(), "traefik")}, &stdout, &stderr, false)
	if !errors.Is(err, binaries.ErrNotFound) {
		t.Errorf("run() = %v, want %v", err, binaries.ErrNotFound)
	}
	if got := m.calls(t); got != nil {
		t.Errorf("the go command was called: %v", got)
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"-o", "yaml"}, {"-unknown"}, {"argument"}} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), args, &stdout, &stderr, false)
		if !errors.Is(err, errUsage) || stderr.Len() == 0 {
			t.Errorf("run(%v) = %v and %q, want the usage", args, err, &stderr)
		}
	}
}
