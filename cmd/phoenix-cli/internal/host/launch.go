package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

const (
	// launchPoll is the time between two looks at a host that is starting.
	launchPoll = 10 * time.Millisecond
	// maxComplaint is how much of a failed host's output is told, in bytes.
	maxComplaint = 2 << 10
)

// Command is how to execute a host.
type Command struct {
	Args []string // the program, by absolute path, and its arguments
	Env  []string // its whole environment; PHOENIX_HOME is added
}

// Launch makes sure that the home has a host, and returns when that is ready. A
// host that has to be started goes on in the background when the caller ends;
// its output goes to the home's host.log. When it ends instead, the error says
// what it said. A host that is ending is waited for and replaced.
func Launch(ctx context.Context, h *home.Home, c Command) (unit.Info, error) {
	client, err := unit.Dial("unix:" + h.Socket())
	if err != nil {
		return unit.Info{}, fmt.Errorf("launch host: %w", err)
	}
	l := &launch{home: h, command: c, client: client}
	info, err := l.awaitReady(ctx)
	if err == nil && l.child != nil && l.child.process.Pid != info.PID {
		err = l.child.withdraw()
	}
	if err = errors.Join(err, l.child.release()); err != nil {
		return info, fmt.Errorf("launch host: %w", err)
	}
	return info, nil
}

// launch is one call of Launch.
type launch struct {
	home    *home.Home
	command Command
	client  *unit.Client
	child   *background // nil while none was started
}

// awaitReady asks until the host is ready, and starts one when none is there.
func (l *launch) awaitReady(ctx context.Context) (unit.Info, error) {
	tick := time.NewTicker(launchPoll)
	defer tick.Stop()
	for {
		ended := l.child.ended() // looked at before the host is asked, which may be another's child
		info, err := l.client.Info(ctx)
		switch {
		case err == nil && info.Ready:
			return info, nil
		case errors.Is(err, unit.ErrUnavailable) && l.child == nil:
			err = l.start(ctx)
		case errors.Is(err, unit.ErrUnavailable) && ended:
			err = l.child.complaint()
		case errors.Is(err, unit.ErrUnavailable):
			err = nil
		}
		if err != nil && ctx.Err() == nil {
			return info, err
		}
		select {
		case <-ctx.Done():
			return info, fmt.Errorf("the host is not ready in time: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (l *launch) start(ctx context.Context) (err error) {
	l.child, err = l.command.start(ctx, l.home)
	return err
}

// background is a child that may outlive this process. A nil one was never
// started.
type background struct {
	process *os.Process
	log     string
	from    int64 // where its output begins in the log
}

// start executes the host in a session of its own. It outlives ctx.
func (c Command) start(ctx context.Context, h *home.Home) (*background, error) {
	if _, err := openStore(h); err != nil {
		return nil, err
	}
	log, err := openLog(h.HostLog())
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at log: %w", err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.Args[0], c.Args[1:]...) //nolint:gosec // the caller's own program
	cmd.Env = append(withoutOurs(c.Env), "PHOENIX_HOME="+h.Root)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("execute: %w", err)
	}
	return &background{process: cmd.Process, log: h.HostLog(), from: info.Size()}, nil
}

// withoutOurs drops the home of the caller, and the mark of the unit that the
// caller may be part of: its end must not be the new host's.
func withoutOurs(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		return strings.HasPrefix(e, "PHOENIX_HOME=") || strings.HasPrefix(e, markVariable+"=")
	})
}

// ended reports whether the child has ended.
func (b *background) ended() bool {
	if b == nil {
		return true
	}
	var ws syscall.WaitStatus
	pid, err := syscall.Wait4(b.process.Pid, &ws, syscall.WNOHANG, nil)
	return pid == b.process.Pid || errors.Is(err, syscall.ECHILD)
}

// withdraw ends the child, since another was faster to be the host: it must not
// take over when that one ends.
func (b *background) withdraw() error {
	if b.ended() {
		return nil
	}
	if err := b.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("withdraw second host: %w", err)
	}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(b.process.Pid, &ws, 0, nil); err != nil && !errors.Is(err, syscall.ECHILD) {
		return fmt.Errorf("wait for second host: %w", err)
	}
	return nil
}

// release lets go of the child, which goes on.
func (b *background) release() error {
	if b == nil {
		return nil
	}
	if err := b.process.Release(); err != nil {
		return fmt.Errorf("release host: %w", err)
	}
	return nil
}

// complaint is the error of a child that ended, in its own words.
func (b *background) complaint() error {
	said, err := b.said()
	if err != nil || said == "" {
		return errors.Join(fmt.Errorf("the host has ended, see %s", b.log), err)
	}
	return fmt.Errorf("the host has ended: %s", said)
}

// said returns the end of what the child said.
func (b *background) said() (string, error) {
	f, err := os.Open(b.log)
	if err != nil {
		return "", fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.NewSectionReader(f, b.from, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read log: %w", err)
	}
	if len(raw) > maxComplaint {
		raw = raw[len(raw)-maxComplaint:]
	}
	return strings.TrimSpace(string(raw)), nil
}
