package host

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// TestHostIsKilled kills a host and follows its units to the next one.
func TestHostIsKilled(t *testing.T) {
	h := newHome(t)
	first := startHost(t, h)
	ctx := t.Context()
	lives := bring(t, first, shell("lives", lasting))
	dies := bring(t, first, shell("dies", lasting))
	stopped := shell("stopped", lasting)
	stopped.Enabled = true
	bring(t, first, stopped)
	check(t, first.Stop(ctx, "stopped"))
	says(t, first, "lives", "up", 1)

	first.kill(t)
	if !alive(lives.PID) || !alive(dies.PID) {
		t.Fatal("units ended with their host")
	}
	check(t, syscall.Kill(dies.PID, syscall.SIGKILL))
	check(t, syscall.Kill(lives.PID, syscall.SIGHUP)) // it speaks while nobody is there

	second := startHost(t, h)
	if got := status(t, second, "lives"); got.PID != lives.PID || got.State != unit.Active || !got.Since.Equal(lives.Since) {
		t.Errorf("adopted: got %+v, want %+v", got, lives)
	}
	if got := status(t, second, "dies"); got.PID == dies.PID || got.State != unit.Active {
		t.Errorf("started anew: got %+v", got)
	}
	if got := status(t, second, "stopped"); got.State != unit.Inactive {
		t.Errorf("stopped: got %+v", got)
	}
	says(t, second, "lives", "reloaded", 1)
	says(t, second, "lives", "up", 1)
	check(t, second.Reload(ctx, "lives"))
	says(t, second, "lives", "reloaded", 2)

	// An adopted process is watched like a child.
	check(t, syscall.Kill(lives.PID, syscall.SIGKILL))
	eventually(t, "restart of the adopted", func() bool {
		got := status(t, second, "lives")
		return got.State == unit.Active && got.PID != lives.PID && got.Restarts == 1
	})
	second.kill(t)
	third := startHost(t, h)
	check(t, third.Stop(ctx, "lives"))
	says(t, third, "lives", "bye", 1)
	check(t, third.Shutdown(ctx))
	check(t, third.wait(t))
	if left := belonging(t, h); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}

	// Whoever was shut down comes back only when enabled.
	fourth := startHost(t, h)
	if got := status(t, fourth, "stopped"); got.State != unit.Active {
		t.Errorf("enabled: got %+v", got)
	}
	if got := status(t, fourth, "lives"); got.State != unit.Inactive {
		t.Errorf("not enabled: got %+v", got)
	}
}

// TestHostIsKilledOften kills hosts at no particular moment while they start
// units, and counts the processes of each unit.
func TestHostIsKilledOften(t *testing.T) {
	h := newHome(t)
	names := []string{"a", "b", "c"}
	p := startHost(t, h)
	for _, name := range names {
		u := shell(name, lasting)
		u.Enabled = true
		bring(t, p, u)
	}
	for i := range 10 {
		for _, name := range names {
			go func() { _ = p.Restart(t.Context(), name) }() // cut off by the kill
		}
		for range i * 50 {
			_, _ = p.Info(t.Context())
		}
		p.kill(t)
		p = startHost(t, h)
	}
	eventually(t, "every unit runs", func() bool {
		list, err := p.List(t.Context())
		return err == nil && !slices.ContainsFunc(list, func(s unit.Status) bool { return s.State != unit.Active })
	})
	leaders := map[string]int{}
	for _, f := range belonging(t, h) {
		if f.Leads() {
			leaders[f.Mark]++
		}
	}
	for _, name := range names {
		if n := leaders[h.ID+"/"+name]; n != 1 {
			t.Errorf("unit %s runs %d times", name, n)
		}
	}
	check(t, p.Shutdown(t.Context()))
	check(t, p.wait(t))
}

// TestDefinitionChangedUnseen changes a definition that the killed host could
// not carry out any more.
func TestDefinitionChangedUnseen(t *testing.T) {
	h := newHome(t)
	s := supervise(t, h)
	u := shell("a", lasting)
	first := bring(t, s, u)
	s.close()
	u.Env = []string{"NEW=1"}
	check(t, s.machine.store.define(u))
	s = supervise(t, h)
	if got := status(t, s, "a"); got.State != unit.Active || got.PID == first.PID || alive(first.PID) {
		t.Errorf("got %+v", got)
	}
}

// TestFilesAreLost finds processes of units whose files nobody has any more.
func TestFilesAreLost(t *testing.T) {
	h := newHome(t)
	s := supervise(t, h)
	lost := bring(t, s, shell("lost", lasting))
	kept := bring(t, s, shell("kept", lasting))
	s.close()
	check(t, s.machine.store.undefine("lost"))
	check(t, s.machine.store.unnote("lost"))
	check(t, os.WriteFile(h.Running()+"/kept.json", []byte("{"), 0o600))
	s = supervise(t, h)
	if alive(lost.PID) {
		t.Error("the process of a unit that is not defined runs on")
	}
	// Nothing says whether it was wanted, so it is not.
	if got := status(t, s, "kept"); got.State != unit.Inactive || alive(kept.PID) {
		t.Errorf("got %+v", got)
	}
}

// TestKilledBetweenExecutionAndRecord takes the identity of a process away.
func TestKilledBetweenExecutionAndRecord(t *testing.T) {
	h := newHome(t)
	s := supervise(t, h)
	first := bring(t, s, shell("a", lasting))
	s.close()
	r := s.machine.store.record("a")
	r.Process = process.ID{}
	check(t, s.machine.store.note("a", r))
	s = supervise(t, h)
	if got := status(t, s, "a"); got.PID != first.PID {
		t.Errorf("got %+v, want process %d", got, first.PID)
	}
}

// TestUnreadableDefinitionIsTold keeps one broken file from stopping the rest.
func TestUnreadableDefinitionIsTold(t *testing.T) {
	h := newHome(t)
	s := supervise(t, h)
	bring(t, s, shell("a", lasting))
	s.close()
	check(t, os.WriteFile(h.Units()+"/broken.json", []byte(`{"name":"other"}`), 0o600))
	s = supervise(t, h)
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 || list[0].State != unit.Active {
		t.Errorf("got %+v, %v", list, err)
	}
	if _, err := s.machine.store.definition("broken"); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v", err)
	}
}

// TestMachineWasBooted makes a record of another boot name a process that has
// nothing to do with the unit.
func TestMachineWasBooted(t *testing.T) {
	h := newHome(t)
	s := supervise(t, h)
	stranger := bring(t, s, shell("stranger", lasting))
	u := shell("a", lasting)
	check(t, s.machine.store.define(u))
	r := s.machine.store.record("stranger")
	r.Epoch, r.Definition = "before", u
	check(t, s.machine.store.note("a", r))
	s.close()
	s = supervise(t, h)
	if got := status(t, s, "a"); got.State != unit.Inactive {
		t.Errorf("got %+v", got)
	}
	if got := status(t, s, "stranger"); got.PID != stranger.PID {
		t.Errorf("stranger: got %+v, want process %d", got, stranger.PID)
	}
}
