package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// handle holds on to one process by a descriptor. Signals through it never
// reach another process.
type handle struct {
	id   ID
	file *os.File
}

// open returns a handle of the very process that id means; ErrGone when it has
// ended.
func open(id ID) (*handle, error) {
	fd, err := unix.PidfdOpen(id.PID, unix.PIDFD_NONBLOCK)
	if errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("%s: %w", id, ErrGone)
	}
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", id, err)
	}
	h := &handle{id: id, file: os.NewFile(uintptr(fd), "pidfd")}
	now, err := look(id.PID) // after opening: the number cannot change hands unseen
	if err == nil && (now.ID != id || now.dead) {
		err = fmt.Errorf("%s: %w", id, ErrGone)
	}
	if err != nil {
		return nil, errors.Join(err, h.file.Close())
	}
	return h, nil
}

// signal sends sig; ErrGone when the process has ended.
func (h *handle) signal(sig syscall.Signal) error {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("signal %s: %w", h.id, err)
	}
	var sent error
	err = conn.Control(func(fd uintptr) {
		sent = unix.PidfdSendSignal(int(fd), sig, nil, 0)
	})
	if err != nil || errors.Is(sent, syscall.ESRCH) { // closed, which is done at its end
		return fmt.Errorf("signal %s: %w", h.id, ErrGone)
	}
	if sent != nil {
		return fmt.Errorf("signal %s: %w", h.id, sent)
	}
	return nil
}

// wait returns when the process has ended, or with an error when ctx ends or
// the handle is closed before.
func (h *handle) wait(ctx context.Context) error {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("wait for %s: %w", h.id, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = h.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.Read(readable); err != nil {
		return fmt.Errorf("wait for %s: %w", h.id, errors.Join(ctx.Err(), err))
	}
	return nil
}

// readable reports whether the process behind a pidfd has ended.
func readable(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor fits
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

func (h *handle) close() error { return h.file.Close() }
