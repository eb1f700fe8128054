package unittest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// child is one unit and the goroutine that keeps its process running. Its
// methods are called under the runner's lock.
type child struct {
	unit unit.Unit
	log  string

	quit chan struct{} // closed to end the keeper; nil when not wanted
	done chan struct{} // closed when the keeper has ended

	mu       sync.Mutex
	cmd      *exec.Cmd // nil while no process runs
	since    time.Time
	restarts int
	lastExit string
}

func (c *child) wanted() bool { return c.quit != nil }

// start runs the process and its keeper, unless they run.
func (c *child) start() error {
	if c.wanted() {
		return nil
	}
	c.restarts = 0
	if err := c.spawn(); err != nil {
		return err
	}
	c.quit, c.done = make(chan struct{}), make(chan struct{})
	go c.keep(c.quit, c.done)
	return nil
}

// spawn executes the program in a process group of its own.
func (c *child) spawn() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of unit %s: %w", c.unit.Name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(c.unit.Exec[0], c.unit.Exec[1:]...) //nolint:gosec // a unit is what the test says
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.unit.Dir, log, log
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, c.unit.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		c.lastExit = err.Error()
		return fmt.Errorf("%w: %s: %w", unit.ErrStart, c.unit.Name, err)
	}
	c.cmd, c.since = cmd, time.Now()
	return nil
}

// keep waits for the process and starts the next one until quit is closed.
func (c *child) keep(quit <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	for {
		c.wait()
		select {
		case <-quit:
			return
		case <-time.After(restartDelay):
		}
		c.mu.Lock()
		c.restarts++
		c.mu.Unlock()
		_ = c.spawn() // told by the status, and tried again
		select {
		case <-quit: // stop found no process to signal
			_ = c.signal(c.unit.StopSignal)
		default:
		}
	}
}

// wait returns when the process has ended, and takes what it left with it.
func (c *child) wait() {
	c.mu.Lock()
	cmd := c.cmd
	c.mu.Unlock()
	if cmd == nil {
		return
	}
	err := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cmd, c.since, c.lastExit = nil, time.Now(), "exit status 0"
	if err != nil {
		c.lastExit = err.Error()
	}
}

// stop asks the process to end, kills its group in the end, and waits.
func (c *child) stop() {
	if !c.wanted() {
		return
	}
	close(c.quit)
	_ = c.signal(c.unit.StopSignal)
	timeout := time.NewTimer(c.unit.StopTimeout)
	defer timeout.Stop()
	select {
	case <-c.done:
	case <-timeout.C:
		c.kill()
		<-c.done
	}
	c.quit, c.done = nil, nil
}

func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd != nil {
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	}
}

func (c *child) reload() error { return c.signal(c.unit.ReloadSignal) }

func (c *child) signal(name unit.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return fmt.Errorf("signal unit %s: %w", c.unit.Name, unit.ErrInactive)
	}
	err := c.cmd.Process.Signal(number(name))
	if errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal unit %s: %w", c.unit.Name, unit.ErrInactive)
	}
	return err
}

// number returns the signal of that name, which was validated before.
func number(name unit.Signal) syscall.Signal {
	return map[unit.Signal]syscall.Signal{
		unit.HUP: syscall.SIGHUP, unit.INT: syscall.SIGINT, unit.QUIT: syscall.SIGQUIT,
		unit.TERM: syscall.SIGTERM, unit.USR1: syscall.SIGUSR1, unit.USR2: syscall.SIGUSR2,
	}[name]
}

func (c *child) status() unit.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := unit.Status{
		Name: c.unit.Name, Container: c.unit.Container, State: unit.Inactive,
		Since: c.since, Restarts: c.restarts, LastExit: c.lastExit, Log: c.log,
	}
	switch {
	case c.cmd != nil:
		s.State, s.PID = unit.Active, c.cmd.Process.Pid
	case c.wanted():
		s.State = unit.Activating
	}
	return s
}
