package process

import (
	"context"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Process is a running process that is watched until it ends.
type Process struct {
	handle *handle
	done   chan struct{}

	// exit tells how it ended; set before done is closed.
	exit string

	// cancel ends the watch over an adopted process, and watched is closed when
	// that has ended; both nil for a child.
	cancel  context.CancelFunc
	watched chan struct{}
}

// ID returns the identity of the process.
func (p *Process) ID() ID { return p.handle.id }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit tells, once Done is closed, how the process ended.
func (p *Process) Exit() string { return p.exit }

// Signal sends sig to the process alone; ErrGone when it has ended.
func (p *Process) Signal(sig syscall.Signal) error { return p.handle.signal(sig) }

// ended says how the process ended and lets go of it.
func (p *Process) ended(exit string) {
	p.exit = exit
	_ = p.handle.close()
	close(p.done)
}

// Adopt watches a process that is not a child of this one; ErrGone when it has
// ended. Its user forgets it in the end.
func Adopt(id ID) (*Process, error) {
	h, err := open(id)
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Process{handle: h, done: make(chan struct{}), cancel: cancel, watched: make(chan struct{})}
	go p.watch(ctx)
	return p, nil
}

// watch waits for the end, whose manner only a parent is told.
func (p *Process) watch(ctx context.Context) {
	defer close(p.watched)
	if err := p.handle.wait(ctx); err != nil {
		_ = p.handle.close()
		return
	}
	p.ended("ended, its status was told to another process")
}

// Forget ends the watch over an adopted process, which goes on. A child is
// watched by its reaper for as long as that runs.
func (p *Process) Forget() {
	if p.cancel != nil {
		p.cancel()
		<-p.watched
	}
}

// describe tells how a child ended.
func describe(ws unix.WaitStatus) string {
	switch {
	case ws.Signaled() && ws.CoreDump():
		return "signal: " + ws.Signal().String() + " (core dumped)"
	case ws.Signaled():
		return "signal: " + ws.Signal().String()
	default:
		return fmt.Sprintf("exit status %d", ws.ExitStatus())
	}
}
