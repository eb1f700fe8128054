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
	// Output is the file that its standard output goes to.
	Output string
}

// Leads reports whether the process leads its group.
func (f Found) Leads() bool { return f.Group == f.PID }

// Find lists the living processes of the machine, each with the value that the
// variable had in its environment when it was executed. Some programs write
// over that; they are known by their output or their group.
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
		list = append(list, Found{ID: st.ID, Group: st.group, Mark: mark(p.PID, variable), Output: output(p.PID)})
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

// output returns what a process's standard output is. That of another user's
// process is not told.
func output(pid int) string {
	target, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/fd/1")
	if err != nil {
		return ""
	}
	return target
}

// Traces are what a process and its descendants are known by. What is zero
// matches nobody.
type Traces struct {
	// Mark is in the environment of each that did not write over it.
	Mark string
	// Output is the file that each inherits as its standard output.
	Output string
	// Leader led the group that each is born into.
	Leader ID
}

// Members picks those that bear one of the traces. A group's number is not given
// to a new process before the group is empty: when the number belongs to
// another process now, so does whoever is in that group.
func Members(list []Found, t Traces) []Found {
	taken := slices.ContainsFunc(list, func(f Found) bool { return f.PID == t.Leader.PID && f.ID != t.Leader })
	return slices.DeleteFunc(slices.Clone(list), func(f Found) bool {
		marked := t.Mark != "" && f.Mark == t.Mark
		heard := t.Output != "" && f.Output == t.Output
		grouped := t.Leader.PID != 0 && f.Group == t.Leader.PID && f.Start >= t.Leader.Start && !taken
		return !marked && !heard && !grouped
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
