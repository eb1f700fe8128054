package process

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/procfs"
)

// ErrGone says that a process has ended.
var ErrGone = errors.New("process has ended")

// ID tells a process from every other of one [Epoch].
type ID struct {
	PID int `json:"pid"`
	// Start is when the process was started, in the kernel's ticks since boot.
	Start uint64 `json:"start"`
}

func (id ID) String() string { return fmt.Sprintf("process %d", id.PID) }

// Epoch returns what tells apart the times and places within which an ID means
// one process: the boot of the machine, and the namespace of process numbers,
// which is another one whenever a system container is started again.
func Epoch() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", fmt.Errorf("read namespace of process numbers: %w", err)
	}
	return strings.TrimSpace(string(boot)) + " " + namespace, nil
}

// state is what the kernel tells about a process.
type state struct {
	ID
	group int
	// dead says that the process has ended and nobody has waited for it yet.
	dead bool
}

// look asks the kernel about a process; ErrGone when there is none.
func look(pid int) (state, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return state{}, fmt.Errorf("process %d: %w: %w", pid, ErrGone, err)
	}
	st, err := p.Stat()
	if err != nil {
		return state{}, fmt.Errorf("process %d: %w: %w", pid, ErrGone, err)
	}
	dead := st.State == "Z" || st.State == "X"
	return state{ID: ID{PID: pid, Start: st.Starttime}, group: st.PGRP, dead: dead}, nil
}
