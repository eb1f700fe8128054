package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// patience is how long anything may take.
const patience = 20 * time.Second

// eventually waits for ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		<-time.After(3 * time.Millisecond)
	}
}

// check fails the test on an error.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newHome returns a home that is left without a process.
func newHome(t *testing.T) *home.Home {
	t.Helper()
	h, err := home.Open(filepath.Join(t.TempDir(), "home"), "127.14.2")
	check(t, err)
	t.Cleanup(func() {
		if left := belonging(t, h); len(left) > 0 {
			t.Errorf("processes are left: %+v", left)
			_ = process.Kill(context.Background(), left)
		}
	})
	return h
}

// belonging lists the living processes of a home's units.
func belonging(t *testing.T, h *home.Home) []process.Found {
	t.Helper()
	list, err := process.Find(markVariable)
	check(t, err)
	var left []process.Found
	for _, f := range list {
		if strings.HasPrefix(f.Mark, h.ID+"/") || strings.HasPrefix(f.Output, h.Logs()+"/") {
			left = append(left, f)
		}
	}
	return left
}

// supervise returns a supervisor that has taken over what was left in the home,
// and a way to lose it as a killed host would be lost.
func supervise(t *testing.T, h *home.Home) *supervisor {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m, err := newMachine(h, func(string) string { return "" }, log)
	check(t, err)
	s := newSupervisor(m)
	t.Cleanup(func() {
		if s.ctx.Err() == nil {
			if err := s.shutdown(context.Background()); err != nil {
				t.Errorf("shutdown: %v", err)
			}
		}
		s.close()
	})
	check(t, s.restore(t.Context(), true))
	return s
}

// testLog hands log lines to the test.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

var _ io.Writer = testLog{}

// shell is a unit that runs a script.
func shell(name, script string) unit.Unit {
	return unit.Unit{Name: name, Exec: []string{"/bin/sh", "-c", script}, StopTimeout: 5 * time.Second}
}

// lasting is the script of a unit that runs until it is told to end.
const lasting = `trap 'echo reloaded' HUP; trap 'echo bye; exit 0' TERM; echo "up $$"; while :; do sleep 0.01; done`

// bring defines and starts a unit.
func bring(t *testing.T, m unit.Manager, u unit.Unit) unit.Status {
	t.Helper()
	_, err := m.Define(t.Context(), u)
	check(t, err)
	check(t, m.Start(t.Context(), u.Name))
	return status(t, m, u.Name)
}

func status(t *testing.T, m unit.Manager, name string) unit.Status {
	t.Helper()
	s, err := m.Status(t.Context(), name)
	check(t, err)
	return s
}

// says waits until the unit's log has the text that often.
func says(t *testing.T, m unit.Manager, name, text string, times int) {
	t.Helper()
	path := status(t, m, name).Log
	eventually(t, name+" says "+text, func() bool {
		raw, err := os.ReadFile(path)
		return err == nil && strings.Count(string(raw), text) >= times
	})
}

// alive reports whether a process lives.
func alive(pid int) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(raw), ") Z ")
}

// hostProcess is a host in a process of its own.
type hostProcess struct {
	*unit.Client
	cmd *exec.Cmd
}

// startHost executes a host of the home and waits until it is ready.
func startHost(t *testing.T, h *home.Home) *hostProcess {
	t.Helper()
	p := executeHost(t, h, "up")
	eventually(t, "host is ready", func() bool {
		info, err := p.Info(t.Context())
		return err == nil && info.Ready && info.PID == p.cmd.Process.Pid
	})
	return p
}

// executeHost executes a host that ends with the test at the latest.
func executeHost(t *testing.T, h *home.Home, role string) *hostProcess {
	t.Helper()
	client, err := unit.Dial("unix:" + h.Socket())
	check(t, err)
	c := hostCommand(t, role)
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = slices.Concat(c.Env, []string{"PHOENIX_HOME=" + h.Root})
	cmd.Stderr = testLog{t}
	check(t, cmd.Start())
	p := &hostProcess{Client: client, cmd: cmd}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
	})
	return p
}

// hostCommand returns how to execute this test's binary as a host.
func hostCommand(t *testing.T, role string) Command {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	return Command{Args: []string{exe}, Env: []string{
		hostRole + "=" + role, "PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "SECRET=hunter2",
		"GORACE=atexit_sleep_ms=0",
	}}
}

// kill ends the host as a crash would.
func (p *hostProcess) kill(t *testing.T) {
	t.Helper()
	check(t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// wait returns the host's exit, once it has ended by itself.
func (p *hostProcess) wait(t *testing.T) error {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// childrenOf lists the children of a process, dead or alive.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	check(t, err)
	var children []int
	for _, task := range tasks {
		raw, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(raw)) {
			child, err := strconv.Atoi(field)
			check(t, err)
			children = append(children, child)
		}
	}
	return children
}

// runAlone runs the test again in a process of its own, since being a subreaper
// cannot be undone.
func runAlone(t *testing.T) {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "PHOENIX_TEST_ALONE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
