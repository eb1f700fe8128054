package host

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// markVariable is what a unit's processes are known by, see machine.traces.
const markVariable = "PHOENIX_UNIT"

// defaultPath is where units look for programs when the host's environment does
// not say.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// machine is what all keepers share.
type machine struct {
	home   *home.Home
	store  store
	reaper *process.Reaper
	epoch  string
	env    []string
	log    *slog.Logger
	// closing is set when all units are being stopped: none is started then.
	closing atomic.Bool
}

func newMachine(h *home.Home, getenv func(string) string, log *slog.Logger) (*machine, error) {
	st, err := openStore(h)
	if err != nil {
		return nil, err
	}
	epoch, err := process.Epoch()
	if err != nil {
		return nil, err
	}
	return &machine{
		home: h, store: st, reaper: process.NewReaper(), epoch: epoch, log: log,
		env: environment(h, getenv),
	}, nil
}

// environment returns what every unit finds in its environment: nothing of the
// shell that the host happened to be started from.
func environment(h *home.Home, getenv func(string) string) []string {
	path := getenv("PATH")
	if path == "" {
		path = defaultPath
	}
	env := []string{"PATH=" + path, "PHOENIX_HOME=" + h.Root}
	if dir := getenv("HOME"); dir != "" {
		env = append(env, "HOME="+dir)
	}
	return env
}

// mark is unique to the unit, on this machine and every other.
func (m *machine) mark(name string) string { return m.home.ID + "/" + name }

// logFile is where a unit's output goes.
func (m *machine) logFile(name string) string { return filepath.Join(m.home.Logs(), name+logSuffix) }

// spec returns what to execute for the unit; the caller adds the output.
func (m *machine) spec(u unit.Unit) process.Spec {
	env := append([]string{markVariable + "=" + m.mark(u.Name)}, u.Env...)
	for _, entry := range m.env {
		key, _, _ := strings.Cut(entry, "=")
		own := slices.ContainsFunc(u.Env, func(e string) bool { return strings.HasPrefix(e, key+"=") })
		if !own {
			env = append(env, entry)
		}
	}
	return process.Spec{Args: u.Exec, Env: env, Dir: u.WithDefaults().Dir}
}

// traces tell the unit's processes from all others.
func (m *machine) traces(name string, leader process.ID) process.Traces {
	return process.Traces{Mark: m.mark(name), Output: m.logFile(name), Leader: leader}
}

// unitOf returns the name of the unit of this home that a process belongs to.
func (m *machine) unitOf(f process.Found) (string, bool) {
	if name, ok := strings.CutPrefix(f.Mark, m.mark("")); ok && unit.ValidName(name) == nil {
		return name, true
	}
	name := strings.TrimSuffix(filepath.Base(f.Output), logSuffix)
	return name, f.Output == m.logFile(name) && unit.ValidName(name) == nil
}

// sweepRounds is how often to look again for processes that were born while
// others were being killed.
const sweepRounds = 10

// sweep kills every process that bears the unit's traces, and returns when none
// is left.
func (m *machine) sweep(ctx context.Context, name string, leader process.ID) error {
	for range sweepRounds {
		list, err := process.Find(markVariable)
		if err != nil {
			return fmt.Errorf("find leftovers of unit %s: %w", name, err)
		}
		left := process.Members(list, m.traces(name, leader))
		if len(left) == 0 {
			return nil
		}
		m.log.InfoContext(ctx, "killing leftovers", "unit", name, "processes", len(left))
		if err := process.Kill(ctx, left); err != nil {
			return fmt.Errorf("kill leftovers of unit %s: %w", name, err)
		}
	}
	return fmt.Errorf("kill leftovers of unit %s: new ones are born all the time", name)
}
