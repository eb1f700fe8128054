package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/shellenv"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestCerts(t *testing.T) {
	s, a := upStage(t)
	born := time.Now().Add(-time.Hour).UTC()
	for serial, name := range map[string]string{"0A1B": "a.x", "0c": "b.x"} {
		c := events.CertState{Serial: serial, Names: []string{name}, NotBefore: born, NotAfter: born.Add(24 * time.Hour), Issuer: "acme"}
		if err := save(t.Context(), a.ca, events.BucketCA, "cert."+strings.ToLower(serial), c); err != nil {
			t.Fatal(err)
		}
	}
	s.run("certs").want(t, 0, "0a1b", "a.x", "b.x", "valid")
	if certs := decode[[]view.Cert](t, s.run("certs", "a.x", "-o", "json")); len(certs) != 1 || certs[0].Serial != "0a1b" {
		t.Errorf("got %+v", certs)
	}
	s.run("__complete", "certs", "").want(t, 0, "a.x\nb.x\n")
}

func TestWatch(t *testing.T) {
	s, a := upStage(t)
	s.run("watch", "--no-follow").want(t, 0, "stack.requested     ops", "home shall be present", "stack.ready         provisioner")
	s.run("watch", "--no-follow", "--since", "1h", "--raw").want(t, 0, "#1 stack.requested", "ce-source: /ops")
	lines := strings.Split(strings.TrimSpace(s.run("watch", "--no-follow", "-o", "json").stdout), "\n")
	var first view.Event
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first.Subject != "stack.requested" || first.Speaker != events.Ops {
		t.Errorf("got %+v, %v", first, err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ended := make(chan result, 1)
	var out safeBuffer
	go func() { ended <- s.runTo(ctx, &out, "watch") }()
	person := s.as(events.Ops)
	for !strings.Contains(out.String(), "grafana") || !strings.Contains(out.String(), "did you mean service.removed?") {
		if ctx.Err() != nil {
			t.Fatalf("not seen in time:\n%s", out.String())
		}
		if err := say(ctx, a.prov, events.ServiceRemoved{Name: "grafana"}); err != nil {
			t.Fatal(err)
		}
		if err := person.Conn().Publish("service.remvoed", nil); err != nil {
			t.Fatal(err)
		}
	}
	cancel() // as Ctrl-C does
	if r := <-ended; r.code != 0 {
		t.Errorf("exit code %d:\n%s", r.code, out.String())
	}
}

func TestDeadLetters(t *testing.T) {
	s, a := upStage(t)
	s.run("deadletters", "list", "-o", "json").want(t, 0, "[]")
	a.set(func() { a.refuses["thief"] = "held by somebody else" })
	s.run("expose", "thief", "http://127.0.0.1:3000").want(t, 1)

	list := decode[[]view.DeadLetter](t, s.run("deadletters", "list", "-o", "json"))
	if len(list) != 1 || list[0].Reason != "held by somebody else" || list[0].Deliveries != 1 {
		t.Fatalf("got %+v", list)
	}
	id := list[0].ID
	s.run("deadletters", "list").want(t, 0, id, "held by somebody else")
	s.run("deadletters", "show", id).want(t, 0, "service.registered.ops", `"name": "thief"`)
	s.run("__complete", "deadletters", "show", "").want(t, 0, id)
	s.run("deadletters", "show", id+"x").want(t, 1, "did you mean "+id+"?")
	s.run("deadletters", "drop", id, "PHOENIX-0-nobody").want(t, 1, `no dead letter has the id "PHOENIX-0-nobody"`)

	// A replay in vain leaves a new dead letter; one that succeeds leaves none.
	for _, reason := range []string{"still held by somebody else", ""} {
		a.set(func() { a.refuses["thief"] = reason })
		s.run("deadletters", "replay", id).want(t, 0, "reads message", "again")
		s.eventually("the replay", func() bool {
			list := decode[[]view.DeadLetter](t, s.run("deadletters", "list", "-o", "json"))
			if reason == "" {
				return len(list) == 0 && strings.Contains(s.run("services").stdout, "thief")
			}
			return len(list) == 1 && list[0].Reason == reason
		})
	}
}

func TestDrop(t *testing.T) {
	s, a := upStage(t)
	a.set(func() { a.refuses["thief"] = "held by somebody else" })
	s.run("expose", "thief", "http://127.0.0.1:3000").want(t, 1)
	list := decode[[]view.DeadLetter](t, s.run("deadletters", "list", "-o", "json"))
	s.run("deadletters", "drop", list[0].ID).want(t, 0, "1 dropped")
	s.run("deadletters", "list", "-o", "json").want(t, 0, "[]")
}

func TestTrust(t *testing.T) {
	s, a := upStage(t)
	if r := s.run("trust"); r.code != 0 || r.stdout != a.root() || r.stderr != "" {
		t.Errorf("got %+v", r)
	}
	s.run("trust", "-o", "json").want(t, 0, `"fingerprint": "`, `"installed": false`)
}

func TestEnv(t *testing.T) {
	s, a := upStage(t)
	s.env["NATS_URL"] = "nats://elsewhere"
	s.run("env").want(t, 0, "unset NATS_URL\n", "export NATS_CONTEXT='"+filepath.Join(s.home.Root, "env", "home.json")+"'", "export STEP_CA_URL='https://ca'")
	env := decode[shellenv.Env](t, s.run("env", "-o", "json"))
	if len(env.Set) != 5 || len(env.Unset) != 1 {
		t.Errorf("got %+v", env)
	}
	root, err := os.ReadFile(filepath.Join(s.home.Root, "env", "root.pem"))
	if err != nil || string(root) != a.root() {
		t.Errorf("got %q, %v", root, err)
	}
}

// A host whose bus is not up yet is no broken one.
func TestHostThatIsStarting(t *testing.T) {
	s := newStage(t)
	s.host.info.Bus = ""
	s.run("services").want(t, 3, "has not started its bus yet")
	s.run("status").want(t, 0, "home     starting", "its host waits for the bus")
}
