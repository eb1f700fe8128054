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

// Adopted is a process that somebody else has started.
type Adopted struct {
	Process
	cancel  context.CancelFunc
	watched chan struct{}
}

// Adopt watches a process that is not a child of this one; ErrGone when it has
// ended.
func Adopt(id ID) (*Adopted, error) {
	h, err := open(id)
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Adopted{Process: Process{handle: h, done: make(chan struct{})}, cancel: cancel, watched: make(chan struct{})}
	go a.watch(ctx)
	return a, nil
}

// watch waits for the end, whose manner only a parent is told.
func (a *Adopted) watch(ctx context.Context) {
	defer close(a.watched)
	if err := a.handle.wait(ctx); err != nil {
		_ = a.handle.close()
		return
	}
	a.ended("ended, its status was told to another process")
}

// Forget ends the watch. The process goes on.
func (a *Adopted) Forget() {
	a.cancel()
	<-a.watched
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
