package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the user sees when things are wrong: each is a clear error with what to
// do, the right exit code, and nothing lost.

func TestUnknownKey(t *testing.T) {
	s := newStack(t)
	file := filepath.Join(t.TempDir(), "phoenix.yaml")
	if err := os.WriteFile(file, []byte("stack: home\ndomian: x.localhost\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.cli("up", "-f", file)
	if r.code != 2 || !strings.Contains(r.stderr, "domain") || !strings.Contains(r.stderr, "2:1") {
		t.Errorf("unknown key: %s", r)
	}
}

func TestPortTaken(t *testing.T) {
	s := newStack(t)
	l, err := net.Listen("tcp", s.gateway())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	r := s.cli("up")
	if r.code == 0 || !strings.Contains(r.stderr, s.gateway()) || !strings.Contains(r.stderr, "e2e.test") {
		t.Errorf("port taken: %s", r)
	}
}

func TestTwoHomesOnOneBlock(t *testing.T) {
	first, second := newStack(t), newStack(t)
	first.must("up")
	second.block = first.block
	r := second.cli("up")
	if r.code == 0 || !strings.Contains(r.stderr, first.home) {
		t.Errorf("second home: %s", r)
	}
	if st := decode[status](first, "status"); st.State != "ready" {
		t.Errorf("first home: %s", st.State)
	}
}

func TestTwoHomesSideBySide(t *testing.T) {
	first, second := newStack(t), newStack(t)
	first.must("up", "--stand-in-backends")
	second.must("up", "--stand-in-backends")
	first.reach(first.client(), "portainer."+domain, "portainer")
	second.reach(second.client(), "portainer."+domain, "portainer")
	if _, err := get(first.client(), "https://portainer."+domain+":8443/"); err != nil {
		t.Error(err)
	}
}

func TestWrongPrograms(t *testing.T) {
	s := newStack(t)
	fake := filepath.Join(t.TempDir(), "traefik")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho 'Version: 2.11.0'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	right := s.traefik
	s.traefik = fake
	if r := s.cli("up"); r.code == 0 || !strings.Contains(r.stderr, "2.11.0") {
		t.Errorf("Traefik of a wrong version: %s", r)
	}
	s.traefik = right
	nginx := s.nginx
	s.nginx = filepath.Join(t.TempDir(), "nginx")
	if r := s.cli("up"); r.code == 0 || !strings.Contains(r.stderr, s.nginx) {
		t.Errorf("nginx missing: %s", r)
	}
	s.nginx = nginx
}

func TestSecondServiceOnAHost(t *testing.T) {
	s := newStack(t)
	s.must("up")
	s.must("expose", "first", backend(t, "first"), "--host", "shared."+domain, "--timeout", "60s")
	r := s.cli("expose", "second", backend(t, "second"), "--host", "shared."+domain, "--timeout", "30s")
	if r.code != 1 || !strings.Contains(r.stderr, "first") {
		t.Errorf("second on the host: %s", r)
	}
	if a, err := get(s.client(), "https://shared."+domain+":8443/"); err != nil || string(a.body) != "first" {
		t.Errorf("the first: %v %q", err, a.body)
	}
}

func TestCommandsWithoutAStack(t *testing.T) {
	s := newStack(t)
	if st := decode[status](s, "status"); st.State != "absent" {
		t.Errorf("state %q", st.State)
	}
	if r := s.cli("down"); r.code != 0 {
		t.Errorf("down: %s", r)
	}
	if r := s.cli("expose", "a", "http://127.0.0.1:1"); r.code == 0 || !strings.Contains(r.stderr, "phoenix-cli up") {
		t.Errorf("expose: %s", r)
	}
	if r := s.cli("no-such-command"); r.code != 2 {
		t.Errorf("unknown command: %s", r)
	}
}

func TestWatchTellsNearMisses(t *testing.T) {
	s := newStack(t)
	s.must("up")
	r := s.shell(`(phoenix-cli watch > ` + s.home + `/seen 2>&1 & echo $! > ` + s.home + `/watch.pid)`)
	if r.code != 0 {
		t.Fatal(r)
	}
	defer s.shell("kill $(cat " + s.home + "/watch.pid); rm -f " + s.home + "/seen " + s.home + "/watch.pid")
	eventually(t, 30*time.Second, "watch names the near miss", func() bool {
		s.shell(`nats pub service.registerd '{"name":"x"}'`)
		seen, _ := os.ReadFile(filepath.Join(s.home, "seen"))
		return strings.Contains(string(seen), "service.registered") && strings.Contains(string(seen), "service.registerd")
	})
}
