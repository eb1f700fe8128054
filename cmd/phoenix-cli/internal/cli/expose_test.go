package cli_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// upStage is a stage whose stack is up, without services.
func upStage(t *testing.T) (*stage, *actors) {
	t.Helper()
	s := newStage(t)
	a := s.play()
	s.run("up", "-q").want(t, 0)
	return s, a
}

func TestExpose(t *testing.T) {
	s, _ := upStage(t)
	s.run("expose", "grafana", "http://127.0.0.1:3000").want(t, 0, "✓ https://grafana.phoenix.localhost:8443/")

	svc := decode[view.Service](t, s.run("expose", "wiki", "https://10.0.0.5", "--host", "docs.phoenix.localhost", "--issuer", "acme", "-o", "json"))
	if svc.Name != "wiki" || svc.URL != "https://docs.phoenix.localhost:8443/" || svc.Issuer != events.IssuerACME || svc.State != events.StateReady {
		t.Errorf("got %+v", svc)
	}
	s.run("expose", "later", "http://127.0.0.1:3001", "--no-wait").want(t, 0, "later is registered (message ")
	s.run("services").want(t, 0, "grafana", "https://docs.phoenix.localhost:8443/")
	s.run("status", "-o", "json").want(t, 0, `"name": "wiki"`)
	s.run("__complete", "unexpose", "").want(t, 0, "grafana\nlater\nwiki\n:4")

	s.run("unexpose", "grafana").want(t, 0, "grafana is served no longer.")
	s.run("unexpose", "grafana").want(t, 1, `no service is called "grafana"`)
	s.run("unexpose", "wikki").want(t, 1, "did you mean wiki?")
	s.run("unexpose", "wiki", "--no-wait", "-o", "json").want(t, 0, `"done": "asked"`)
}

func TestExposeIsRefused(t *testing.T) {
	s, a := upStage(t)
	a.set(func() { a.refuses["thief"] = `host "x" is held by service "first"` })
	s.run("expose", "thief", "http://127.0.0.1:3000").want(t, 1, `thief was refused: host "x" is held by service "first"`, "deadletters list")
	s.run("expose", "far", "http://127.0.0.1:3000", "--host", "example.com").want(t, 2, "every host lies below phoenix.localhost")
	s.run("expose", "far", "https://10.0.0.1", "--ca", filepath.Join(t.TempDir(), "none.pem")).want(t, 2, "none.pem")
}

func TestExposeIsLate(t *testing.T) {
	s, a := upStage(t)
	a.set(func() { a.silent["slow"] = true })
	s.run("expose", "slow", "http://127.0.0.1:3000", "--timeout", "500ms").want(t, 3, "slow is not served after 500ms: pending: waits for the gateway")
	s.run("unexpose", "slow", "--timeout", "500ms").want(t, 3, "slow is not gone after 500ms: the proxy still routes it")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, context.Canceled)
	defer cancel()
	s.runContext(ctx, "expose", "slow", "http://127.0.0.1:3000").want(t, 1, "interrupted; slow is registered all the same")
}

func TestExposeBeforeTheStackIsThere(t *testing.T) {
	s := newStage(t)
	s.run("expose", "early", "http://127.0.0.1:3000").want(t, 3, "stack home is not there yet")
	s.run("trust").want(t, 3, "has no certificate authority yet")
	s.run("env").want(t, 3, "has no certificate authority yet")
}
