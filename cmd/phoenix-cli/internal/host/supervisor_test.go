package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

func TestUnitFromDefinitionToRemoval(t *testing.T) {
	s, ctx := supervise(t, newHome(t)), t.Context()
	u := shell("a", lasting)
	u.Container = "103"

	changed, err := s.Define(ctx, u)
	if err != nil || !changed {
		t.Fatalf("Define: got %v, %v", changed, err)
	}
	if got := status(t, s, "a"); got.State != unit.Inactive || got.PID != 0 || got.Container != "103" {
		t.Errorf("defined: got %+v", got)
	}
	if err := s.Reload(ctx, "a"); !errors.Is(err, unit.ErrInactive) {
		t.Errorf("Reload: got %v, want ErrInactive", err)
	}
	check(t, s.Start(ctx, "a"))
	first := status(t, s, "a")
	if first.State != unit.Active || !alive(first.PID) {
		t.Fatalf("started: got %+v", first)
	}
	check(t, s.Start(ctx, "a"))
	if again := status(t, s, "a"); again != first {
		t.Errorf("started again: got %+v, want %+v", again, first)
	}
	says(t, s, "a", "up", 1)
	check(t, s.Reload(ctx, "a"))
	says(t, s, "a", "reloaded", 1)
	check(t, s.Restart(ctx, "a"))
	if got := status(t, s, "a"); got.PID == first.PID || got.Restarts != 0 || got.LastExit != "exit status 0" {
		t.Errorf("restarted: got %+v", got)
	}
	says(t, s, "a", "up", 2)
	check(t, s.Stop(ctx, "a"))
	check(t, s.Stop(ctx, "a"))
	says(t, s, "a", "bye", 2)
	if got := status(t, s, "a"); got.State != unit.Inactive || got.PID != 0 {
		t.Errorf("stopped: got %+v", got)
	}
	if list, err := s.List(ctx); err != nil || len(list) != 1 || list[0].Name != "a" {
		t.Errorf("List: got %+v, %v", list, err)
	}
	check(t, s.Remove(ctx, "a"))
	check(t, s.Remove(ctx, "a"))
	check(t, s.Remove(ctx, "never-there"))
	for verb, err := range map[string]error{
		"Start": s.Start(ctx, "a"), "Stop": s.Stop(ctx, "a"), "Restart": s.Restart(ctx, "b"), "Reload": s.Reload(ctx, "b"),
	} {
		if !errors.Is(err, unit.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", verb, err)
		}
	}
	if _, err := s.Status(ctx, "a"); !errors.Is(err, unit.ErrNotFound) {
		t.Errorf("Status: got %v, want ErrNotFound", err)
	}
	if names, err := s.machine.store.names(); err != nil || len(names) != 0 {
		t.Errorf("files: got %v, %v", names, err)
	}
}

func TestUnitIsRestartedWhateverEndsIt(t *testing.T) {
	s := supervise(t, newHome(t))
	first := bring(t, s, shell("a", lasting))
	for i, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} { // the second makes it exit with 0
		says(t, s, "a", "up", i+1)
		pid := status(t, s, "a").PID
		check(t, syscall.Kill(pid, sig))
		eventually(t, "restart", func() bool {
			got := status(t, s, "a")
			return got.State == unit.Active && got.PID != pid && got.Restarts == i+1
		})
	}
	if got := status(t, s, "a"); !got.Since.After(first.Since) || got.LastExit != "exit status 0" {
		t.Errorf("got %+v", got)
	}
}

func TestUnitThatCannotStart(t *testing.T) {
	s, ctx := supervise(t, newHome(t)), t.Context()
	_, err := s.Define(ctx, unit.Unit{Name: "a", Exec: []string{"/nonexistent/program"}})
	check(t, err)
	if err := s.Start(ctx, "a"); !errors.Is(err, unit.ErrStart) || !strings.Contains(err.Error(), "no such file") {
		t.Fatalf("got %v, want ErrStart", err)
	}
	eventually(t, "failed", func() bool { return status(t, s, "a").State == unit.Failed })
	if got := status(t, s, "a"); !strings.Contains(got.LastExit, "/nonexistent/program") {
		t.Errorf("got %+v", got)
	}
	changed, err := s.Define(ctx, shell("a", lasting)) // mended: it is tried at once
	if err != nil || !changed || status(t, s, "a").State != unit.Active {
		t.Fatalf("mended: %v, %v, %+v", changed, err, status(t, s, "a"))
	}
}

func TestUnitThatEndsAtOnceIsTriedForEver(t *testing.T) {
	s := supervise(t, newHome(t))
	bring(t, s, shell("a", "exit 7"))
	eventually(t, "failed", func() bool {
		got := status(t, s, "a")
		return got.State == unit.Failed && got.Restarts >= 2 && got.LastExit == "exit status 7"
	})
	check(t, s.Stop(t.Context(), "a"))
	if got := status(t, s, "a"); got.State != unit.Inactive {
		t.Errorf("got %+v", got)
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	s := supervise(t, newHome(t))
	u := shell("a", `trap '' TERM; sleep 300 & setsid sleep 300 & echo up; while :; do sleep 0.01; done`)
	u.StopTimeout = 50 * time.Millisecond
	bring(t, s, u)
	says(t, s, "a", "up", 1)
	check(t, s.Stop(t.Context(), "a"))
	if left := belonging(t, s.machine.home); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestStopSignal(t *testing.T) {
	s := supervise(t, newHome(t))
	u := shell("a", `trap 'echo quit; exit 0' QUIT; echo up; while :; do sleep 0.01; done`)
	u.StopSignal = unit.QUIT
	bring(t, s, u)
	says(t, s, "a", "up", 1)
	check(t, s.Stop(t.Context(), "a"))
	says(t, s, "a", "quit", 1)
}

func TestDefinitionRestartsOnlyWhenTheProcessWouldDiffer(t *testing.T) {
	s, ctx := supervise(t, newHome(t)), t.Context()
	u := shell("a", lasting)
	first := bring(t, s, u)
	says(t, s, "a", "up", 1)
	define := func(want bool) unit.Status {
		t.Helper()
		if changed, err := s.Define(ctx, u); err != nil || changed != want {
			t.Fatalf("got %v, %v, want %v", changed, err, want)
		}
		return status(t, s, "a")
	}
	if got := define(false); got.PID != first.PID {
		t.Error("the same definition restarted it")
	}
	u.Enabled, u.StopTimeout = true, time.Second
	if got := define(true); got.PID != first.PID {
		t.Error("what the process does not see restarted it")
	}
	u.Digest = "new"
	if got := define(true); got.PID == first.PID || got.State != unit.Active {
		t.Error("another program did not restart it")
	}
	check(t, s.Stop(ctx, "a"))
	u.Digest = "newer"
	if got := define(true); got.State != unit.Inactive {
		t.Error("a definition started a stopped unit")
	}
	u.Exec = nil
	if _, err := s.Define(ctx, u); !errors.Is(err, unit.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	h := newHome(t)
	s := supervise(t, h)
	u := shell("a", `env; pwd; echo done; sleep 300`)
	u.Env, u.Dir = []string{"OWN=1", "PATH=/bin:/usr/bin"}, "/tmp"
	bring(t, s, u)
	says(t, s, "a", "done", 1)
	raw, err := os.ReadFile(status(t, s, "a").Log)
	check(t, err)
	lines := strings.Split(string(raw), "\n")
	for _, want := range []string{"OWN=1", "PATH=/bin:/usr/bin", "PHOENIX_HOME=" + h.Root, "PHOENIX_UNIT=" + h.ID + "/a", "/tmp"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing in\n%s", want, raw)
		}
	}
	if strings.Contains(string(raw), "hunter2") || strings.Count(string(raw), "\nPATH=") > 1 {
		t.Errorf("too much in\n%s", raw)
	}
	if info, err := os.Stat(status(t, s, "a").Log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("log: %v, %v", info.Mode(), err)
	}
}

// TestOrphansGoBeforeTheNextStart is the story of a server whose master is
// killed: its workers, whose environment is written over, hold the address.
func TestOrphansGoBeforeTheNextStart(t *testing.T) {
	nginx := testenv.Nginx(t)
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, `
daemon off; worker_processes 2; pid %[1]s/pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  server { listen 127.14.2.9:18080; return 200 "ok"; }
}`, dir), 0o600))
	s, ctx := supervise(t, newHome(t)), t.Context()
	u := unit.Unit{
		Name: "nginx", Exec: []string{nginx, "-c", filepath.Join(dir, "nginx.conf"), "-p", dir, "-e", "stderr"},
		StopSignal: unit.QUIT,
	}
	first := bring(t, s, u)
	serves := func() bool {
		conn, err := net.Dial("tcp", "127.14.2.9:18080")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	eventually(t, "nginx serves", serves)
	eventually(t, "workers", func() bool { return len(belonging(t, s.machine.home)) == 3 })
	workers := belonging(t, s.machine.home)

	check(t, syscall.Kill(first.PID, syscall.SIGKILL))
	eventually(t, "restart", func() bool {
		got := status(t, s, "nginx")
		return got.State == unit.Active && got.PID != first.PID
	})
	eventually(t, "nginx serves again", serves)
	for _, w := range workers {
		if alive(w.PID) {
			t.Errorf("%v of before is alive", w)
		}
	}
	if raw, err := os.ReadFile(first.Log); err != nil || strings.Contains(string(raw), "Address already in use") {
		t.Errorf("log: %v\n%s", err, raw)
	}

	// The same while nobody watches, and with nothing recorded of the process.
	second := status(t, s, "nginx")
	s.close()
	r := s.machine.store.record("nginx")
	r.Process = process.ID{}
	check(t, s.machine.store.note("nginx", r))
	s = supervise(t, s.machine.home)
	if got := status(t, s, "nginx"); got.PID != second.PID {
		t.Errorf("adopted: got %+v, want process %d", got, second.PID)
	}
	s.close()
	check(t, syscall.Kill(second.PID, syscall.SIGKILL))
	s = supervise(t, s.machine.home)
	if got := status(t, s, "nginx"); got.State != unit.Active || got.PID == second.PID {
		t.Errorf("started: got %+v", got)
	}
	eventually(t, "nginx serves once more", serves)
	check(t, s.Stop(ctx, "nginx"))
	if left := belonging(t, s.machine.home); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestVerbsSideBySide(t *testing.T) {
	s := supervise(t, newHome(t))
	done := make(chan error)
	const n = 8
	for i := range n {
		go func() {
			name := "u" + strconv.Itoa(i%3)
			_, err := s.Define(context.Background(), shell(name, lasting))
			done <- errors.Join(err, s.Start(context.Background(), name), s.Restart(context.Background(), name))
		}()
	}
	for range n {
		check(t, <-done)
	}
	if left := belonging(t, s.machine.home); len(left) < 3 {
		t.Fatalf("running: %+v", left)
	}
	for i := range 3 {
		check(t, s.Remove(t.Context(), "u"+strconv.Itoa(i)))
	}
	if left := belonging(t, s.machine.home); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestNothingStartsWhileClosing(t *testing.T) {
	s, ctx := supervise(t, newHome(t)), t.Context()
	bring(t, s, shell("a", lasting))
	check(t, s.shutdown(ctx))
	for verb, err := range map[string]error{"Start": s.Start(ctx, "a"), "Restart": s.Restart(ctx, "a")} {
		if !errors.Is(err, unit.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", verb, err)
		}
	}
	if _, err := s.Define(ctx, shell("b", lasting)); !errors.Is(err, unit.ErrUnavailable) {
		t.Errorf("Define: got %v, want ErrUnavailable", err)
	}
	s.close()
	if err := s.Start(ctx, "a"); !errors.Is(err, unit.ErrUnavailable) {
		t.Errorf("closed: got %v, want ErrUnavailable", err)
	}
}
