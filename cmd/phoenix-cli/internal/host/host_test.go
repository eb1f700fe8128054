package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

func TestHostTellsAboutItself(t *testing.T) {
	h := newHome(t)
	before := time.Now()
	p := startHost(t, h)
	got, err := p.Info(t.Context())
	check(t, err)
	if got.PID != p.cmd.Process.Pid || got.Home != h.Root || got.HomeID != h.ID || got.Version != "test" ||
		got.Bus != "tls://127.14.2.100:4222" || got.Started.Before(before) || len(got.Warnings) != 0 {
		t.Errorf("got %+v", got)
	}
	if info, err := os.Stat(h.Socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v", info.Mode(), err)
	}
}

func TestOneHostPerHome(t *testing.T) {
	h := newHome(t)
	first := startHost(t, h)
	err := Run(t.Context(), Options{Home: h, Bus: &fakeBus{}})
	var locked *home.LockedError
	if !errors.As(err, &locked) || locked.PID != first.cmd.Process.Pid {
		t.Fatalf("got %v, want a LockedError with process %d", err, first.cmd.Process.Pid)
	}
	if info, err := first.Info(t.Context()); err != nil || !info.Ready {
		t.Errorf("the first: %+v, %v", info, err)
	}
}

func TestTermStopsAllTheYoungestFirst(t *testing.T) {
	h := newHome(t)
	p := startHost(t, h)
	ends := filepath.Join(t.TempDir(), "ends")
	for _, name := range []string{"b", "a", "c"} {
		bring(t, p, shell(name, `trap "echo `+name+` >> `+ends+`; exit 0" TERM; echo up; while :; do sleep 0.01; done`))
		says(t, p, name, "up", 1)
	}
	check(t, syscall.Kill(status(t, p, "b").PID, syscall.SIGKILL)) // its restart does not make it younger
	says(t, p, "b", "up", 2)
	check(t, p.cmd.Process.Signal(syscall.SIGTERM))
	check(t, p.wait(t))
	raw, err := os.ReadFile(ends)
	if err != nil || string(raw) != "c\na\nb\n" {
		t.Errorf("got %q, %v, want c, a, b", raw, err)
	}
	if left := belonging(t, h); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	if _, err := os.Stat(h.Socket()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket: got %v, want ErrNotExist", err)
	}
	if _, err := p.Info(t.Context()); !errors.Is(err, unit.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestNoZombies(t *testing.T) {
	h := newHome(t)
	p := startHost(t, h)
	bring(t, p, shell("a", `(sleep 0.05 & ) ; (setsid sleep 0.05 & ) ; echo up; sleep 300`))
	says(t, p, "a", "up", 1)
	host := p.cmd.Process.Pid
	eventually(t, "every orphan is waited for", func() bool {
		children := childrenOf(t, host)
		return len(children) == 1 && children[0] == status(t, p, "a").PID
	})
}

func TestShutdownWhileTheBusIsStarting(t *testing.T) {
	h := newHome(t)
	first := startHost(t, h)
	left := bring(t, first, shell("a", lasting))
	first.kill(t)
	p := executeHost(t, h, "slow")
	eventually(t, "socket", func() bool { _, err := p.Info(t.Context()); return err == nil })
	if info, err := p.Info(t.Context()); err != nil || info.Ready || info.Bus != "" {
		t.Errorf("got %+v, %v", info, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.List(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("verbs wait: got %v, want DeadlineExceeded", err)
	}
	check(t, p.Shutdown(t.Context()))
	check(t, p.wait(t))
	if alive(left.PID) {
		t.Error("what the killed host left runs on")
	}
}

func TestBusThatCannotStartLeavesUnitsAlone(t *testing.T) {
	h := newHome(t)
	first := startHost(t, h)
	left := bring(t, first, shell("a", lasting))
	first.kill(t)
	if err := executeHost(t, h, "broken").wait(t); err == nil {
		t.Error("got no error")
	}
	if !alive(left.PID) {
		t.Error("the unit was ended")
	}
	second := startHost(t, h)
	if got := status(t, second, "a"); got.PID != left.PID {
		t.Errorf("got %+v, want process %d", got, left.PID)
	}
}

func TestLaunchAndStop(t *testing.T) {
	h := newHome(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	first, err := Launch(ctx, h, hostCommand(t, "up"))
	check(t, err)
	again, err := Launch(ctx, h, hostCommand(t, "up"))
	if err != nil || again.PID != first.PID || !first.Ready {
		t.Errorf("again: got %+v, %v, want %+v", again, err, first)
	}
	client, err := unit.Dial("unix:" + h.Socket())
	check(t, err)
	bring(t, client, shell("a", `echo "secret:$SECRET"; exec sleep 300`))
	says(t, client, "a", "secret:\n", 1)
	lock, err := Stop(ctx, h, discard())
	check(t, err)
	eventually(t, "the host's end", func() bool { return !alive(first.PID) })
	check(t, h.Purge())
	check(t, lock.Release())
	if _, err := os.Stat(h.Root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("home: got %v, want ErrNotExist", err)
	}
}

func TestLaunchTellsWhyAHostEnded(t *testing.T) {
	h := newHome(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := Launch(ctx, h, hostCommand(t, "broken"))
	if err == nil || !strings.Contains(err.Error(), "127.14.2.100:4222 is taken") {
		t.Fatalf("got %v", err)
	}
	if _, err := Launch(ctx, h, Command{Args: []string{"/nonexistent"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

func TestLaunchSideBySide(t *testing.T) {
	h := newHome(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const n = 3
	pids, errs := make(chan int, n), make(chan error, n)
	c := hostCommand(t, "up")
	for range n {
		go func() {
			info, err := Launch(ctx, h, c)
			pids <- info.PID
			errs <- err
		}()
	}
	first := <-pids
	for range n - 1 {
		if pid := <-pids; pid != first || pid == 0 {
			t.Errorf("got hosts %d and %d", first, pid)
		}
	}
	for range n {
		check(t, <-errs)
	}
	lock, err := Stop(ctx, h, discard())
	check(t, err)
	check(t, lock.Release())
}

func TestLaunchInTime(t *testing.T) {
	h := newHome(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := Launch(ctx, h, hostCommand(t, "slow")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	lock, err := Stop(t.Context(), h, discard())
	check(t, err)
	check(t, lock.Release())
}

func TestStopEndsWhatAKilledHostLeft(t *testing.T) {
	h := newHome(t)
	p := startHost(t, h)
	left := bring(t, p, shell("a", lasting))
	says(t, p, "a", "up", 1)
	log := status(t, p, "a").Log
	p.kill(t)
	lock, err := Stop(t.Context(), h, discard())
	check(t, err)
	if alive(left.PID) {
		t.Error("the unit runs on")
	}
	if raw, err := os.ReadFile(log); err != nil || !strings.Contains(string(raw), "bye") {
		t.Errorf("it was not asked first: %v, %s", err, raw)
	}
	check(t, lock.Release())
	lock, err = Stop(t.Context(), h, discard()) // nothing is there any more
	check(t, err)
	check(t, lock.Release())
}

func TestUnitsOfTheHostItself(t *testing.T) {
	if os.Getenv("PHOENIX_TEST_ALONE") == "" {
		runAlone(t)
		return
	}
	h := newHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{
			Home: h, Bus: &fakeBus{}, Getenv: os.Getenv, Log: discard(),
			Units: []unit.Unit{shell("broken", ""), shell("a", lasting), {Name: "b", Exec: []string{"/nonexistent"}}},
		})
	}()
	client, err := unit.Dial("unix:" + h.Socket())
	check(t, err)
	eventually(t, "ready", func() bool { info, err := client.Info(ctx); return err == nil && info.Ready })
	if got := status(t, client, "a"); got.State != unit.Active {
		t.Errorf("got %+v", got)
	}
	cancel()
	check(t, <-done)
}

func BenchmarkReady(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := Command{Args: []string{exe}, Env: []string{hostRole + "=up"}}
	for b.Loop() {
		b.StopTimer()
		h, err := home.Open(filepath.Join(b.TempDir(), "home"), "127.14.2")
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := Launch(b.Context(), h, c); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		lock, err := Stop(b.Context(), h, discard())
		if err != nil {
			b.Fatal(err)
		}
		_ = lock.Release()
		b.StartTimer()
	}
}

func TestHomeWithALongPath(t *testing.T) {
	h, err := home.Open(filepath.Join(t.TempDir(), strings.Repeat("long", 40)), "127.14.2")
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	info, err := Launch(ctx, h, hostCommand(t, "up"))
	if err != nil || info.Home != h.Root {
		t.Errorf("got %+v, %v", info, err)
	}
	lock, err := Stop(ctx, h, discard())
	check(t, err)
	check(t, lock.Release())
}
