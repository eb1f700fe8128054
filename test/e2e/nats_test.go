package e2e

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

// backend serves on loopback as a person's Grafana would.
func backend(t *testing.T, body string) string {
	t.Helper()
	b := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Listener.Close()
	b.Listener = l
	b.Start()
	t.Cleanup(b.Close)
	return b.URL
}

func TestPlainNatsDrivesIt(t *testing.T) {
	testenv.Tool(t, "nats")
	testenv.Tool(t, "step")
	s := newStack(t)
	s.must("up")
	client := s.client()
	url := backend(t, "grafana here")

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	sub := exec.CommandContext(ctx, "bash", "-c", `eval "$(phoenix-cli env)" && exec nats sub cert.issued`)
	sub.Env = s.env()
	out, err := sub.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	sub.Stderr = sub.Stdout
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = sub.Wait() }()
	heard := make(chan string, 64)
	go func() {
		defer close(heard)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			heard <- lines.Text()
		}
	}()
	for line := range heard {
		if strings.Contains(line, "Subscribing") {
			break
		}
	}

	for _, line := range []string{
		`nats pub -J stack.requested '{"stack":"home"}'`,
		`nats pub -J service.registered '{"name":"grafana","url":"` + url + `"}'`,
		`nats stream ls`,
		`step ca health`,
	} {
		if r := s.shell(line); r.code != 0 {
			t.Fatalf("%s: %s", line, r)
		}
	}
	host := "grafana." + domain
	eventually(t, 60*time.Second, "grafana answers", func() bool {
		a, err := get(client, "https://"+host+":8443/")
		return err == nil && string(a.body) == "grafana here"
	})
	found := false
	for deadline := time.After(20 * time.Second); !found; {
		select {
		case line := <-heard:
			found = strings.Contains(line, host)
		case <-deadline:
			t.Fatal("nats sub cert.issued did not tell of grafana's certificate")
		}
	}
	eventually(t, 30*time.Second, "stack is ready", func() bool { return decode[status](s, "status").State == "ready" })

	if r := s.shell(`nats pub -J service.removed '{"name":"grafana"}'`); r.code != 0 {
		t.Fatal(r)
	}
	eventually(t, 30*time.Second, "grafana is gone", func() bool {
		_, err := get(client, "https://"+host+":8443/")
		return err != nil
	})
	t.Run("again", func(t *testing.T) {
		if r := s.shell(`nats pub -J service.registered '{"name":"grafana","url":"` + url + `"}' && nats pub -J service.removed '{"name":"grafana"}' && nats pub -J service.registered '{"name":"grafana","url":"` + url + `"}'`); r.code != 0 {
			t.Fatal(r)
		}
		eventually(t, 60*time.Second, "grafana is back", func() bool {
			a, err := get(client, "https://"+host+":8443/")
			return err == nil && string(a.body) == "grafana here"
		})
	})
	t.Run("step", func(t *testing.T) { stepCommands(t, s, host) })
}

func stepCommands(t *testing.T, s *stack, claimed string) {
	dir := t.TempDir()
	crt, key := filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key")
	admin := filepath.Join(s.home, "containers", "103", "var", "lib", "phoenix", "step", "secrets", "admin_password")
	issue := func(name string) result {
		return s.shell("step ca certificate --provisioner admin --provisioner-password-file " + admin + " --force " + name + " " + crt + " " + key)
	}
	if r := issue(claimed); r.code != 0 {
		t.Fatalf("claimed name: %s", r)
	}
	if r := s.shell("step certificate inspect --short " + crt); r.code != 0 || !strings.Contains(r.stdout, claimed) {
		t.Errorf("inspect: %s", r)
	}
	if r := s.shell("step ca renew --force " + crt + " " + key); r.code != 0 {
		t.Errorf("renew: %s", r)
	}
	for _, name := range []string{"unclaimed." + domain, "example.com", "*." + domain, "proxy." + domain, "ca." + domain} {
		if r := issue("'" + name + "'"); r.code == 0 {
			t.Errorf("%s was signed", name)
		}
	}
}
