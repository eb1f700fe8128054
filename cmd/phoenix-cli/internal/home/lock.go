package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Names of the locks of a home.
const (
	// HostLock is held by the home's one host.
	HostLock = "host"
	// UpLock is held by whoever changes the stack.
	UpLock = "up"
)

// lockRetry is the time between two tries to get a lock.
const lockRetry = 20 * time.Millisecond

// LockedError says that another process holds a lock of the home.
type LockedError struct {
	Home string
	Name string
	// PID is the holder, or 0 when it cannot be told.
	PID int
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = "process " + describe(e.PID)
	}
	return fmt.Sprintf("home %s: %s holds the lock %q", e.Home, who, e.Name)
}

// Lock is held until it is released or the process ends, however that happens.
type Lock struct{ file *os.File }

// Lock takes the named lock of the home, waiting until ctx ends for its holder
// to go. It returns a [LockedError] then.
//
// The lock is not inherited by programs that the process executes, but a child
// holds it until the very moment of its execution. So whoever gets the lock of
// a host that was killed also sees every process that host has started.
func (h *Home) Lock(ctx context.Context, name string) (*Lock, error) {
	path := filepath.Join(h.Root, name+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode) //nolint:gosec // the folder is the user's choice
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", explain(h.Root, err))
	}
	err = flock(ctx, f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = &LockedError{Home: h.Root, Name: name, PID: holder(f)}
	}
	if err == nil {
		err = writePID(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Lock{file: f}, nil
}

// flock tries at least once, and until ctx ends.
func flock(ctx context.Context, f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lockRetry):
		}
	}
}

// writePID tells others who holds the lock.
func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("clear lock %s: %w", f.Name(), err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write lock %s: %w", f.Name(), err)
	}
	return nil
}

// holder reads who holds the lock.
func holder(f *os.File) int {
	buf := make([]byte, 32)
	n, _ := f.ReadAt(buf, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		return 0
	}
	return pid
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.file.Close() }
