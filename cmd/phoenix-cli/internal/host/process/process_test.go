package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startReaper returns a reaper that runs until the test ends.
func startReaper(t *testing.T) *Reaper {
	t.Helper()
	r := NewReaper()
	ctx, cancel := context.WithCancel(context.Background()) // the test's own ends before its clean-up
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

// shell starts a script that bears the mark of this test, and returns the file
// with what it says.
func shell(t *testing.T, r *Reaper, script string) (*Process, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	p, err := r.Start(Spec{
		Args: []string{"/bin/sh", "-c", script}, Dir: "/", Output: out,
		Env: []string{"PATH=" + os.Getenv("PATH"), "TEST_MARK=" + t.Name()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		list, err := Find("TEST_MARK")
		if err == nil {
			_ = Kill(context.Background(), Members(list, Traces{Mark: t.Name(), Leader: p.ID()}))
		}
		<-p.Done()
	})
	return p, path
}

// await returns what the file has once it ends with a line.
func await(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
		if raw, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(raw), "\n") {
			return strings.TrimSpace(string(raw))
		}
	}
	t.Fatal("the process said nothing")
	return ""
}

func TestExitIsTold(t *testing.T) {
	r := startReaper(t)
	tests := map[string]string{
		"exit 0":     "exit status 0",
		"exit 3":     "exit status 3",
		"kill -9 $$": "signal: killed",
	}
	for script, want := range tests {
		p, _ := shell(t, r, script)
		<-p.Done()
		if p.Exit() != want {
			t.Errorf("%s: got %q, want %q", script, p.Exit(), want)
		}
		if err := p.Signal(syscall.SIGTERM); !errors.Is(err, ErrGone) {
			t.Errorf("%s: signal: got %v, want ErrGone", script, err)
		}
	}
	if _, err := r.Start(Spec{Args: []string{"/nonexistent"}, Output: os.Stderr}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

func TestAdopt(t *testing.T) {
	r := startReaper(t)
	p, out := shell(t, r, "echo up; exec sleep 60")
	await(t, out)
	a, err := Adopt(p.ID())
	if err != nil {
		t.Fatal(err)
	}
	forgotten, err := Adopt(p.ID())
	if err != nil {
		t.Fatal(err)
	}
	forgotten.Forget()
	select {
	case <-forgotten.Done():
		t.Error("forgotten, yet said to have ended")
	case <-a.Done():
		t.Fatal("ended early")
	default:
	}
	if err := a.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-a.Done()
	a.Forget()
	if _, err := Adopt(p.ID()); !errors.Is(err, ErrGone) {
		t.Errorf("ended: got %v, want ErrGone", err)
	}
	own, err := look(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own.Start--
	if _, err := Adopt(own.ID); !errors.Is(err, ErrGone) {
		t.Errorf("another with this number: got %v, want ErrGone", err)
	}
}

func TestAdoptRefusesTheDead(t *testing.T) {
	cmd := exec.Command("/bin/true") // not waited for by a reaper
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	id := ID{PID: cmd.Process.Pid}
	for deadline := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) {
		st, err := look(id.PID)
		if err != nil || time.Now().After(deadline) {
			t.Fatal(st, err)
		}
		if id = st.ID; st.dead {
			break
		}
	}
	if _, err := Adopt(id); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
}

func TestMembersOfAGroupWhoseLeaderDied(t *testing.T) {
	r := startReaper(t)
	// One child stays in the group but lost its environment, one left the group.
	p, out := shell(t, r, `env -i /bin/sh -c 'sleep 60 & echo $!; wait' & setsid sleep 61 & sleep 0.2; kill -9 $$`)
	<-p.Done()
	orphan, err := strconv.Atoi(await(t, out))
	if err != nil {
		t.Fatal(err)
	}
	list, err := Find("TEST_MARK")
	if err != nil {
		t.Fatal(err)
	}
	left := Members(list, Traces{Mark: t.Name(), Leader: p.ID()})
	if len(left) != 3 || !slices.ContainsFunc(left, func(f Found) bool { return f.PID == orphan && f.Mark == "" }) {
		t.Fatalf("got %+v, want three with %d", left, orphan)
	}
	if err := Kill(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	list, err = Find("TEST_MARK")
	if err != nil {
		t.Fatal(err)
	}
	if left := Members(list, Traces{Mark: t.Name(), Leader: p.ID()}); len(left) != 0 {
		t.Fatalf("after killing: %+v", left)
	}
	if err := Kill(t.Context(), left); err != nil {
		t.Fatalf("again: %v", err)
	}
}

func TestMembers(t *testing.T) {
	leader := ID{PID: 100, Start: 1000}
	found := func(pid int, start uint64, group int, mark string) Found {
		return Found{ID: ID{PID: pid, Start: start}, Group: group, Mark: mark}
	}
	tests := map[string]struct {
		list []Found
		mark string
		want []int
	}{
		"leader and worker":          {[]Found{found(100, 1000, 100, ""), found(101, 1001, 100, "")}, "a", []int{100, 101}},
		"workers alone":              {[]Found{found(101, 1001, 100, "")}, "a", []int{101}},
		"marked, elsewhere":          {[]Found{found(200, 1001, 200, "a")}, "a", []int{200}},
		"another's mark":             {[]Found{found(200, 1001, 200, "ab")}, "a", nil},
		"number has another process": {[]Found{found(100, 2000, 100, ""), found(101, 2001, 100, "")}, "a", nil},
		"older than the leader":      {[]Found{found(101, 999, 100, "")}, "a", nil},
		"the same output":            {[]Found{{ID: ID{PID: 300, Start: 1}, Group: 300, Output: "/log"}}, "a", []int{300}},
		"no mark matches nobody":     {[]Found{found(200, 1001, 200, "")}, "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []int
			for _, f := range Members(tt.list, Traces{Mark: tt.mark, Output: "/log", Leader: leader}) {
				got = append(got, f.PID)
			}
			if !slices.Equal(got, tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got := Members([]Found{found(7, 1, 0, "")}, Traces{}); len(got) != 0 {
		t.Errorf("no leader: got %v", got)
	}
}

func TestOrphansAreWaitedFor(t *testing.T) {
	if os.Getenv("PHOENIX_TEST_SUBREAPER") == "" {
		runAlone(t, "PHOENIX_TEST_SUBREAPER=1")
		return
	}
	if err := BecomeSubreaper(); err != nil {
		t.Fatal(err)
	}
	r := startReaper(t)
	p, out := shell(t, r, `sh -c 'sleep 0.05 & echo $!' ; exec sleep 60`)
	orphan, err := strconv.Atoi(await(t, out))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := look(orphan); errors.Is(err, ErrGone) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("orphan %d is still there", orphan)
		}
		<-time.After(5 * time.Millisecond)
	}
	if _, err := look(p.ID().PID); err != nil {
		t.Errorf("the other child: %v", err)
	}
}

// runAlone runs the test again in a process of its own, since being a subreaper
// cannot be undone.
func runAlone(t *testing.T, env string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestIDString(t *testing.T) {
	if got, want := (ID{PID: 7, Start: 9}).String(), "process 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	first, err := Epoch()
	second, _ := Epoch()
	if err != nil || first == "" || first != second {
		t.Errorf("epoch: got %q, %q, %v", first, second, err)
	}
}
