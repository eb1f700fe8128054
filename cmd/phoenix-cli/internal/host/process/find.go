package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// Found is a process that was found alive.
type Found struct {
	ID
	// Group is its process group.
	Group int
	// Mark is the value of the variable that was looked for.
	Mark string
}

// Leads reports whether the process leads its group.
func (f Found) Leads() bool { return f.Group == f.PID }

// Find lists the living processes of the machine, each with the value that the
// variable had in its environment when it was executed. Some programs write
// over that; they are known by their group alone.
func Find(variable string) ([]Found, error) {
	procs, err := procfs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var list []Found
	for _, p := range procs {
		st, err := look(p.PID)
		if err != nil || st.dead || p.PID == os.Getpid() {
			continue
		}
		list = append(list, Found{ID: st.ID, Group: st.group, Mark: mark(p.PID, variable)})
	}
	return list, nil
}

// mark reads one variable of a process's environment. That of another user's
// process is not told.
func mark(pid int, variable string) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	for entry := range bytes.SplitSeq(raw, []byte{0}) {
		if v, ok := bytes.CutPrefix(entry, []byte(variable+"=")); ok {
			return string(v)
		}
	}
	return ""
}

// Members picks those that bear the mark or are what is left of the group that
// leader led. A group's number is not given to a new process before the group
// is empty: when the number belongs to another process now, so do all members.
func Members(list []Found, mark string, leader ID) []Found {
	taken := slices.ContainsFunc(list, func(f Found) bool { return f.PID == leader.PID && f.Start != leader.Start })
	return slices.DeleteFunc(slices.Clone(list), func(f Found) bool {
		ofGroup := leader.PID != 0 && f.Group == leader.PID && f.Start >= leader.Start && !taken
		marked := mark != "" && f.Mark == mark
		return !marked && !ofGroup
	})
}

// killTimeout is how long the kernel may take to end a killed process.
const killTimeout = 10 * time.Second

// Kill kills the processes and returns when all have ended.
func Kill(ctx context.Context, list []Found) error {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	var errs []error
	for _, f := range list {
		if err := kill(ctx, f.ID); err != nil && !errors.Is(err, ErrGone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func kill(ctx context.Context, id ID) error {
	h, err := open(id)
	if err != nil {
		return err
	}
	defer func() { _ = h.close() }()
	if err := h.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return h.wait(ctx)
}
