package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

// Each hostile message is a dead letter with a reason, over the size limit the
// publisher is told, and nobody else is disturbed.
func TestHostileInput(t *testing.T) {
	testenv.Tool(t, "nats")
	s := newStack(t)
	s.must("up", "--stand-in-backends")
	client := s.client()
	before := s.reach(client, "portainer."+domain, "portainer")

	const fine = `"url":"http://127.0.0.1:3000"`
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	cases := []struct{ name, body string }{
		{"broken JSON", `{"name":"a"`},
		{"empty", ``},
		{"wrong type", `{"name":["a"],` + fine + `}`},
		{"200 KiB", `{"name":"` + strings.Repeat("a", 200<<10) + `",` + fine + `}`},
		{"20,000 nested brackets", `{"name":"a",` + fine + `,"x":` + deep + `}`},
		{"no name", `{` + fine + `}`},
		{"no backend", `{"name":"a"}`},
		{"parent folder", `{"name":"../a",` + fine + `}`},
		{"template", `{"name":"{{env}}",` + fine + `}`},
		{"newline", `{"name":"a\nb",` + fine + `}`},
		{"quote", `{"name":"a","hosts":["a\".phoenix.localhost"],` + fine + `}`},
		{"backtick", `{"name":"a","hosts":["a` + "`" + `.phoenix.localhost"],` + fine + `}`},
		{"semicolon", `{"name":"a","hosts":["a;.phoenix.localhost"],` + fine + `}`},
		{"brace", `{"name":"a","hosts":["a}.phoenix.localhost"],` + fine + `}`},
		{"template host", `{"name":"a","hosts":["{{a}}.phoenix.localhost"],` + fine + `}`},
		{"wildcard", `{"name":"a","hosts":["*.phoenix.localhost"],` + fine + `}`},
		{"outside the domain", `{"name":"a","hosts":["a.example.com"],` + fine + `}`},
		{"the domain glued on", `{"name":"a","hosts":["aphoenix.localhost"],` + fine + `}`},
		{"somebody else's host", `{"name":"a","hosts":["portainer.phoenix.localhost"],` + fine + `}`},
		{"somebody else's name", `{"name":"portainer",` + fine + `}`},
		{"the stack's own name", `{"name":"bus",` + fine + `}`},
		{"the gateway's host", `{"name":"a","hosts":["gateway.phoenix.localhost"],` + fine + `}`},
		{"metadata address", `{"name":"a","url":"http://169.254.169.254/"}`},
		{"metadata address in IPv6 dress", `{"name":"a","url":"http://[::ffff:169.254.169.254]:80"}`},
		{"file URL", `{"name":"a","url":"file:///etc/passwd"}`},
		{"the CA as backend", `{"name":"a","url":"https://` + s.block + `.103:9000"}`},
		{"Traefik's API as backend", `{"name":"a","url":"http://` + s.block + `.102:9091"}`},
		{"unspecified address", `{"name":"a","url":"http://0.0.0.0:80"}`},
		{"port out of range", `{"name":"a","url":"http://127.0.0.1:70000"}`},
		{"URL and backend disagree", `{"name":"a",` + fine + `,"backend":{"scheme":"http","address":"127.0.0.1","port":3001}}`},
	}
	operator := s.operator()
	for _, c := range cases {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if _, err := operator.JetStream().Publish(ctx, "service.registered", []byte(c.body)); err != nil {
			t.Errorf("%s: the bus did not take it: %v", c.name, err)
		}
		cancel()
	}
	var letters []letter
	eventually(t, 60*time.Second, fmt.Sprintf("%d dead letters", len(cases)), func() bool {
		letters = decode[[]letter](s, "deadletters", "list")
		return len(letters) >= len(cases)
	})
	if len(letters) != len(cases) {
		t.Errorf("%d dead letters; want %d", len(letters), len(cases))
	}
	for _, l := range letters {
		if l.Reason == "" || l.Subject != "service.registered.ops" {
			t.Errorf("dead letter %+v", l)
		}
		t.Logf("%s: %.160s", l.ID, l.Reason)
	}

	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 300<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.shell("nats pub -J --force-stdin service.registered < " + big); r.code == 0 {
		t.Errorf("a message over the limit was taken: %s", r)
	}
	if r := s.shell(`nats pub -J stack.requested '{"stack":"no/such"}'; nats pub -J stack.requested '{"stack":7}'`); r.code != 0 {
		t.Error(r)
	}

	after := s.reach(client, "portainer."+domain, "portainer")
	if after.serial != before.serial {
		t.Error("portainer's certificate changed")
	}
	if a, err := get(client, "https://gateway."+domain+":8443/"); err != nil || a.code != http.StatusOK {
		t.Errorf("front door: %v %d", err, a.code)
	}
	if st := decode[status](s, "status"); st.State != "ready" || len(st.Services) != 2 {
		t.Errorf("status: %+v", st)
	}
	s.must("expose", "after-all", backend(t, "fine"), "--timeout", "60s")
	if a, err := get(client, "https://after-all."+domain+":8443/"); err != nil || string(a.body) != "fine" {
		t.Errorf("a good service after the bad ones: %v %q", err, a.body)
	}
}

// operator is a connection with the operator's identity, as a script of a
// person's own would open it.
func (s *stack) operator() *events.Bus {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	folder := bus.Folder(filepath.Join(s.home, "bus"))
	b, err := events.Connect(ctx, events.Options{
		URL: "tls://" + s.block + ".100:4222", Identity: events.Ops, SeedFile: folder.Seed(events.Ops), CAFile: folder.CA(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.Close)
	return b
}
