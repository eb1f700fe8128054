package unittest

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually waits for ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestRunnerKeepsUnitsRunning(t *testing.T) {
	r, ctx := Start(t), t.Context()
	u := unit.Unit{
		Name: "a", Exec: []string{"/bin/sh", "-c", `trap 'echo reloaded' HUP; echo started $X; while :; do sleep 0.02; done`},
		Env: []string{"X=1"},
	}
	if changed, err := r.Define(ctx, u); err != nil || !changed {
		t.Fatalf("Define: %v, %v", changed, err)
	}
	if changed, err := r.Define(ctx, u); err != nil || changed {
		t.Fatalf("Define again: %v, %v", changed, err)
	}
	if err := r.Start(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	said := func(what string) func() bool {
		return func() bool {
			raw, err := os.ReadFile(r.log("a"))
			return err == nil && strings.Contains(string(raw), what)
		}
	}
	eventually(t, "start", said("started 1"))
	if err := r.Reload(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "reload", said("reloaded"))

	first, err := r.Status(ctx, "a")
	if err != nil || first.State != unit.Active {
		t.Fatalf("Status: %+v, %v", first, err)
	}
	_ = syscall.Kill(first.PID, syscall.SIGKILL)
	eventually(t, "restart", func() bool {
		s, err := r.Status(ctx, "a")
		return err == nil && s.State == unit.Active && s.PID != first.PID && s.Restarts == 1
	})

	u.Env = []string{"X=2"}
	if changed, err := r.Define(ctx, u); err != nil || !changed {
		t.Fatalf("Define changed: %v, %v", changed, err)
	}
	eventually(t, "restart by definition", said("started 2"))
	if err := r.Stop(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(ctx, "a"); !errors.Is(err, unit.ErrInactive) {
		t.Fatalf("Reload: got %v, want ErrInactive", err)
	}
	if err := r.Remove(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Status(ctx, "a"); !errors.Is(err, unit.ErrNotFound) {
		t.Fatalf("Status: got %v, want ErrNotFound", err)
	}
}

func TestRunnerTellsWhatCannotStart(t *testing.T) {
	r, ctx := Start(t), t.Context()
	if _, err := r.Define(ctx, unit.Unit{Name: "a", Exec: []string{"/nonexistent/program"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(ctx, "a"); !errors.Is(err, unit.ErrStart) {
		t.Fatalf("got %v, want ErrStart", err)
	}
}
