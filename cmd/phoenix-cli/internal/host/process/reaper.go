package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Spec says what to execute.
type Spec struct {
	Args []string // the program, by absolute path, and its arguments
	Env  []string
	Dir  string
	// Output takes what the process says, on both of its streams. It is the
	// file itself, not a pipe, so that the process needs nobody to listen.
	Output *os.File
}

// Reaper starts children and waits for them, and for every orphan that falls to
// this process. There is one at most in a process, and nothing else there waits
// for children.
type Reaper struct {
	mu       sync.Mutex
	children map[int]*Process
}

// NewReaper returns a reaper without children.
func NewReaper() *Reaper { return &Reaper{children: map[int]*Process{}} }

// BecomeSubreaper makes orphans of this process's descendants its children,
// rather than those of the machine's first process.
func BecomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the reaper of orphans: %w", err)
	}
	return nil
}

// Run waits for children until ctx ends.
func (r *Reaper) Run(ctx context.Context) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	for {
		r.reap()
		select {
		case <-ctx.Done():
			return
		case <-ended:
		}
	}
}

// reap waits for every child that has ended.
func (r *Reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if p, ok := r.children[pid]; ok {
			delete(r.children, pid)
			p.ended(describe(ws))
		}
	}
}

// Start executes spec as the leader of a session, and so of a process group, of
// its own. No child is waited for meanwhile, so a process that ends at once is
// not missed.
func (r *Reaper) Start(spec Spec) (*Process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("open input: %w", err)
	}
	defer func() { _ = null.Close() }()
	r.mu.Lock()
	defer r.mu.Unlock()
	started, err := os.StartProcess(spec.Args[0], spec.Args, &os.ProcAttr{
		Dir: spec.Dir, Env: spec.Env,
		Files: []*os.File{null, spec.Output, spec.Output},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("execute %s: %w", spec.Args[0], err)
	}
	p, err := hold(started.Pid)
	if err != nil {
		return nil, errors.Join(err, started.Kill(), started.Release())
	}
	r.children[started.Pid] = p
	return p, started.Release()
}

// hold makes a process of a child that nobody has waited for, dead or alive.
func hold(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("hold process %d: %w", pid, err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	child, err := look(pid)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Process{handle: &handle{id: child.ID, file: file}, done: make(chan struct{})}, nil
}
