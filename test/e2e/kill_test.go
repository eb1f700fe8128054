package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// find returns the processes of this home whose command holds all the words.
func (s *stack) find(words ...string) []int {
	var out []int
	for pid, command := range s.processes() {
		all := true
		for _, w := range words {
			all = all && strings.Contains(command, w)
		}
		if all {
			out = append(out, pid)
		}
	}
	return out
}

// victims are the programs whose death the stack survives, by words in their
// command lines.
var victims = map[string][]string{
	"provisioner": {"phoenix-provisioner"},
	"ca":          {"phoenix-ca"},
	"proxyconf":   {"phoenix-proxyconf"},
	"gateway":     {"phoenix-gateway"},
	"traefik":     {"traefik", "--config"},
	"nginx":       {"nginx: master"},
}

// kill ends every process of a victim with SIGKILL and returns which they were.
func (s *stack) kill(victim string) []int {
	pids := s.find(victims[victim]...)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			s.t.Errorf("kill %s (%d): %v", victim, pid, err)
		}
	}
	return pids
}

// issued counts the certificates that somebody asked for. The CA makes its own
// server's certificate at each start.
func (s *stack) issued() int {
	n := 0
	for _, c := range decode[[]cert](s, "certs") {
		if c.Issuer != "own" {
			n++
		}
	}
	return n
}

// nothingTwice checks that there is one process of each kind, and one
// certificate in use per host.
func (s *stack) nothingTwice() {
	s.t.Helper()
	for name, words := range victims {
		if n := len(s.find(words...)); n != 1 {
			s.t.Errorf("%d processes of %s", n, name)
		}
	}
	st := decode[status](s, "status")
	if len(st.Containers) != 3 {
		s.t.Errorf("containers: %+v", st.Containers)
	}
}

func TestKillEachPartOfAReadyStack(t *testing.T) {
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	client := s.client()
	root := decode[status](s, "status").CA.RootFingerprint
	issued := s.issued()
	for victim := range victims {
		t.Run(victim, func(t *testing.T) {
			killed := s.kill(victim)
			if len(killed) != 1 {
				t.Fatalf("processes of %s: %v", victim, killed)
			}
			eventually(t, 60*time.Second, victim+" runs again", func() bool {
				now := s.find(victims[victim]...)
				return len(now) == 1 && now[0] != killed[0]
			})
			s.reach(client, "portainer."+domain, "portainer")
			eventually(t, 60*time.Second, "stack ready", func() bool { return decode[status](s, "status").State == "ready" })
		})
	}
	s.must("up", "--stand-in-backends")
	s.nothingTwice()
	if st := decode[status](s, "status"); st.CA.RootFingerprint != root {
		t.Error("the root changed")
	}
	if now := s.issued(); now != issued {
		t.Errorf("%d certificates were issued meanwhile", now-issued)
	}
	s.must("expose", "late", backend(t, "late"), "--timeout", "90s")
}

// Whatever dies while the first run goes on, the run ends ready.
func TestKillDuringTheRun(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newStack(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	up := exec.CommandContext(ctx, filepath.Join(programs, "phoenix-cli"), "up", "--stand-in-backends")
	up.Env = s.env()
	var out strings.Builder
	up.Stdout, up.Stderr = &out, &out
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	killed := map[string]int{}
	var names []string
	for name := range victims {
		names = append(names, name)
	}
	// Kill each part twice, in a random order, as soon as it is seen.
	for range 2 {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); pause(20 * time.Millisecond) {
				if pids := s.kill(name); len(pids) > 0 {
					killed[name] += len(pids)
					break
				}
			}
			pause(time.Duration(random.IntN(300)) * time.Millisecond)
		}
	}
	if err := <-ended; err != nil {
		t.Fatalf("up: %v\n%s", err, out.String())
	}
	t.Logf("killed: %v", killed)
	client := s.client()
	s.reach(client, "portainer."+domain, "portainer")
	s.reach(client, "dr-phoenix."+domain, "dr-phoenix")
	eventually(t, 60*time.Second, "one of each", func() bool {
		for _, words := range victims {
			if len(s.find(words...)) != 1 {
				return false
			}
		}
		return true
	})
	s.nothingTwice()
}

func TestKillTheHost(t *testing.T) {
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	client := s.client()
	before := s.reach(client, "portainer."+domain, "portainer")
	hosts := s.find("phoenix-cli", "host")
	if len(hosts) != 1 {
		t.Fatalf("hosts: %v", hosts)
	}
	if err := syscall.Kill(hosts[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Without the host and the bus, what was served is served.
	if a := s.reach(client, "portainer."+domain, "portainer"); a.serial != before.serial {
		t.Error("another certificate")
	}
	traefik := s.find(victims["traefik"]...)
	s.must("up", "--stand-in-backends")
	if after := s.reach(client, "portainer."+domain, "portainer"); after.serial != before.serial {
		t.Error("another certificate after up")
	}
	if now := s.find(victims["traefik"]...); len(now) != 1 || len(traefik) != 1 || now[0] != traefik[0] {
		t.Errorf("Traefik was %v, is %v: not adopted", traefik, now)
	}
	s.nothingTwice()
	s.must("expose", "later", backend(t, "later"), "--timeout", "90s")
}

func TestHalfWrittenACMEStore(t *testing.T) {
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	client := s.client()
	before := s.reach(client, "portainer."+domain, "portainer")
	store := filepath.Join(s.home, "containers", "102", "var", "lib", "phoenix", "traefik", "acme.json")
	raw, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(store, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	s.kill("traefik")
	s.kill("proxyconf")
	eventually(t, 90*time.Second, "Traefik runs again", func() bool { return len(s.find(victims["traefik"]...)) == 1 })
	s.must("up", "--stand-in-backends")
	if after := s.reach(client, "portainer."+domain, "portainer"); after.serial == "" {
		t.Error("no certificate")
	} else {
		t.Logf("serial before %s, after %s", before.serial, after.serial)
	}
	if st := decode[status](s, "status"); st.State != "ready" {
		t.Errorf("state %s", st.State)
	}
}
