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

// ID tells a process from every other since the machine was booted.
type ID struct {
	PID int `json:"pid"`
	// Start is when the process was started, in the kernel's ticks since boot.
	Start uint64 `json:"start"`
}

func (id ID) String() string { return fmt.Sprintf("process %d", id.PID) }

// BootID returns what tells this boot of the machine from every other.
func BootID() (string, error) {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
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
