package cli_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// file writes a file into a folder of the test and returns its path.
func (s *stage) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func decode[T any](t *testing.T, r result) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatalf("%v\n%s%s", err, r.stdout, r.stderr)
	}
	return v
}

func TestUp(t *testing.T) {
	s := newStage(t)
	s.play()
	s.run("up", "--stand-in-backends").want(t, 0,
		"container 101 (gateway) runs", "certificate authority serves", "stack home is ready", "2 of 2 services are served",
		"https://example.com:8443/ answers over verified HTTPS",
		"Up in", "curl --cacert <(phoenix-cli trust) --connect-to ::127.0.0.1:", "https://dr-phoenix.phoenix.localhost:8443/")
	if !s.host.has("provisioner") || !s.host.has("stand-ins") {
		t.Errorf("units: %v", s.host.units)
	}

	// Without another configuration it goes on with the last one.
	status := decode[view.Status](t, s.run("up", "-o", "json", "-q"))
	if status.State != events.StateReady || len(status.Services) != 2 || !s.host.has("stand-ins") {
		t.Errorf("got %+v", status)
	}
	for _, svc := range status.Services {
		if svc.State != events.StateReady || !strings.HasPrefix(svc.Backend, "https://"+block+".200:1000") {
			t.Errorf("got %+v", svc)
		}
	}
	s.run("plan").want(t, 0, "nothing to change")

	// With another one the stand-ins go.
	file := s.file("other.yaml", "services:\n- name: grafana\n  url: http://10.0.0.5:3000\n")
	s.run("plan", "-f", file).want(t, 0, "+ service   grafana", "- service   portainer")
	s.run("up", "-f", file, "-q").want(t, 0, "grafana.phoenix.localhost:8443")
	if s.host.has("stand-ins") {
		t.Error("the stand-ins are still there")
	}
}

func TestUpTellsWhatFailed(t *testing.T) {
	s := newStage(t)
	a := s.play()
	a.set(func() { a.fails = "no answer from 127.18.1.103:9000" })
	s.run("up").want(t, 1, "stack home failed at ca: no answer from 127.18.1.103:9000 (undone: [container 103])", "next: phoenix-cli watch")
}

func TestUpTellsWhatWasRefused(t *testing.T) {
	s := newStage(t)
	a := s.play()
	a.set(func() { a.refuses["portainer"] = "host is held by service \"x\"" })
	s.run("up", "--stand-in-backends").want(t, 1, "service portainer was refused: host is held", "1 of 2 services are served", "deadletters list")
}

func TestUpIsLate(t *testing.T) {
	s := newStage(t)
	a := s.play()
	a.set(func() { a.silent["portainer"] = true })
	s.run("up", "--stand-in-backends", "--timeout", "2s").want(t, 3,
		"is not ready after 2s", "service portainer: pending: waits for the gateway", "next: it goes on")
	a.set(func() { a.mute = true })
	s.run("up", "--timeout", "1s").want(t, 3, "is not ready after 1s", "waiting for the provisioner")
}

func TestUpIsInterrupted(t *testing.T) {
	s := newStage(t)
	a := s.play()
	a.set(func() { a.mute = true })
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, context.Canceled)
	defer cancel()
	s.runContext(ctx, "up").want(t, 1, "interrupted; run home-", "goes on", "phoenix-cli status")
}

func TestUpSeesTheHostEnd(t *testing.T) {
	s := newStage(t)
	a := s.play()
	a.set(func() { a.mute = true })
	ended := make(chan result, 1)
	go func() { ended <- s.run("up") }()
	s.eventually("the wish", func() bool {
		return strings.Contains(s.run("watch", "--no-follow").stdout, "stack.requested")
	})
	s.host.shutdown()
	s.eventually("the end of the socket", func() bool { return strings.Contains(s.run("status").stdout, "absent") })
	s.bus.Close()
	(<-ended).want(t, 1, "phoenix-cli: the host has ended", "phoenix-cli up starts it again")
}

func TestUpChecksFirst(t *testing.T) {
	tests := map[string]struct {
		spoil func(*stage)
		code  int
		words []string
	}{
		"nginx missing": {func(s *stage) { s.env["PHOENIX_NGINX"] = "/no/such/nginx" }, 1, []string{"/no/such/nginx", "apt-get install nginx"}},
		"Traefik of a wrong version": {func(s *stage) {
			s.program(s.env["PHOENIX_TRAEFIK"], "echo 'Version: 2.11.0'")
		}, 1, []string{"2.11.0", "make traefik"}},
		"services not built": {func(s *stage) { s.env["PHOENIX_PROGRAMS"] = s.t.TempDir() }, 1, []string{"phoenix-ca", "make build"}},
		"port taken": {func(s *stage) {
			l, err := net.Listen("tcp", block+".103:9000")
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(func() { _ = l.Close() })
		}, 1, []string{block + ".103:9000 is taken by process", "cli.test"}},
		"another block": {func(s *stage) { s.env["PHOENIX_ADDRESSES"] = "127.18.2" }, 2, []string{"has the addresses " + block}},
		"second up": {func(s *stage) {
			lock, err := s.home.Lock(s.t.Context(), home.UpLock)
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(func() { _ = lock.Release() })
		}, 1, []string{"another command is changing this stack", "process"}},
		"home is a file": {func(s *stage) { s.env["PHOENIX_HOME"] = s.file("x", "") }, 1, []string{"a file is in the way"}},
		"foreign folder": {func(s *stage) { s.env["PHOENIX_HOME"] = filepath.Dir(s.file("x", "")) }, 1, []string{"the folder is not empty"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := emptyStage(t)
			tt.spoil(s)
			s.run("up").want(t, tt.code, tt.words...)
			if _, err := os.Stat(s.home.HostLog()); err == nil {
				t.Error("a host was started all the same")
			}
		})
	}
}

func TestUpNotesAnOlderHost(t *testing.T) {
	s := newStage(t)
	s.play()
	s.host.info.Version, s.host.info.Warnings = "v0.0.1", []string{"the disk fills up"}
	s.run("up").want(t, 0, "the host of this home is of version v0.0.1", "the host warns: the disk fills up")
}

func TestDown(t *testing.T) {
	s := newStage(t)
	s.play()
	s.run("up", "-q").want(t, 0)
	s.run("down").want(t, 0, "container 103 (ca) is gone", "nothing runs any more", "Stack home is down.")
	s.run("status").want(t, 0, "home  absent")
	s.run("down", "-o", "json").want(t, 0, `"done": "stopped"`)
}

func TestDownPurge(t *testing.T) {
	s := newStage(t)
	s.play()
	s.run("up", "-q").want(t, 0)
	s.bus.Close() // the fake host can't; down --purge removes its files
	s.run("down", "--purge", "--timeout", "1s")
	if _, err := os.Stat(s.home.Root); !os.IsNotExist(err) {
		t.Errorf("the home is still there: %v", err)
	}
	s.run("down", "--purge").want(t, 0, "nothing is kept there")
}

func TestDownThatFailsEndsWhatRuns(t *testing.T) {
	s := newStage(t)
	a := s.play()
	s.run("up", "-q").want(t, 0)
	a.set(func() { a.fails = "it resists" })
	s.run("down").want(t, 1, "could not be removed in an orderly way: it resists")
	s.run("status").want(t, 0, "home  absent")
}

func TestDownIsLate(t *testing.T) {
	s := newStage(t)
	a := s.play()
	s.run("up", "-q").want(t, 0)
	a.set(func() { a.mute = true })
	s.run("down", "--timeout", "500ms").want(t, 3, "did not go within 500ms")
	s.run("status").want(t, 0, "home  absent")
}
