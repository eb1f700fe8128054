package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

func TestUpServesAndConverges(t *testing.T) {
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	client := s.client()

	st := decode[status](s, "status")
	if st.State != "ready" || len(st.Containers) != 3 || len(st.Services) != 2 {
		t.Fatalf("status: %+v", st)
	}
	certs := decode[[]cert](s, "certs")
	for _, svc := range st.Services {
		a := s.reach(client, svc.Hosts[0], svc.Name)
		if a.serial != svc.Serial {
			t.Errorf("%s: served serial %s, status says %s", svc.Name, a.serial, svc.Serial)
		}
		if !slices.ContainsFunc(certs, func(c cert) bool { return c.Serial == a.serial && slices.Contains(c.Names, svc.Hosts[0]) }) {
			t.Errorf("%s: served serial %s is not among the certificates", svc.Name, a.serial)
		}
		for _, hop := range svc.Hops {
			if !hop.Encrypted || !hop.Verified {
				t.Errorf("%s: hop %+v", svc.Name, hop)
			}
		}
		if len(svc.Hops) < 3 || svc.State != "ready" {
			t.Errorf("%s: %+v", svc.Name, svc)
		}
	}

	t.Run("again", func(t *testing.T) {
		before := len(certs)
		running := s.processes()
		start := time.Now()
		s.must("up", "--stand-in-backends")
		t.Logf("second up: %s", time.Since(start))
		if after := len(decode[[]cert](s, "certs")); after != before {
			t.Errorf("the second up issued %d certificates", after-before)
		}
		for pid := range s.processes() {
			if _, ok := running[pid]; !ok {
				t.Errorf("the second up started process %d", pid)
			}
		}
	})

	t.Run("down", func(t *testing.T) {
		s.must("down")
		if left := s.processes(); len(left) > 0 {
			t.Errorf("processes left: %v", left)
		}
		for _, addr := range []string{".101:8443", ".101:8080", ".102:8443", ".102:9091", ".103:9000", ".100:4222"} {
			if c, err := net.DialTimeout("tcp", s.block+addr, time.Second); err == nil {
				_ = c.Close()
				t.Errorf("%s still answers", s.block+addr)
			}
		}
		if st := decode[status](s, "status"); st.State != "absent" {
			t.Errorf("state %q", st.State)
		}
	})

	t.Run("up after down keeps the root", func(t *testing.T) {
		s.must("up", "--stand-in-backends")
		if now := decode[status](s, "status"); now.CA.RootFingerprint != st.CA.RootFingerprint {
			t.Error("the root changed")
		}
		s.reach(client, st.Services[0].Hosts[0], st.Services[0].Name)
	})

	t.Run("purge", func(t *testing.T) {
		s.must("down", "--purge")
		if entries, err := os.ReadDir(s.home); err == nil && len(entries) > 0 {
			t.Errorf("files left: %v", entries)
		}
	})
}

func TestCurl(t *testing.T) {
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, []byte(s.must("trust").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("curl", "-sS", "--cacert", root, "--connect-to", "::"+s.gateway(),
		"https://portainer."+domain+":8443/").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("portainer")) {
		t.Errorf("curl: %v\n%s", err, out)
	}
	t.Run("unknown host", func(t *testing.T) {
		out, err := exec.Command("curl", "-sS", "--cacert", root, "--connect-to", "::"+s.gateway(),
			"https://nobody."+domain+":8443/").CombinedOutput()
		if err == nil {
			t.Errorf("answered: %s", out)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		out, err := exec.Command("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}",
			"-H", "Host: portainer."+domain, "http://"+s.block+".101:8080/a?b").CombinedOutput()
		if err != nil || string(out) != "308 https://portainer."+domain+":8443/a?b" {
			t.Errorf("redirect: %v %s", err, out)
		}
	})
	t.Run("no anonymous on the bus", func(t *testing.T) {
		testenv.Tool(t, "nats")
		r := s.exec(exec.Command("nats", "--server", "tls://"+s.block+".100:4222", "--tlsca", filepath.Join(s.home, "bus", "tls", "bus.crt"), "pub", "x", "y"))
		if r.code == 0 || !strings.Contains(r.stdout+r.stderr, "Authorization") {
			t.Errorf("nats without identity: %s", r)
		}
	})
}
