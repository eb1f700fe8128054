package unit

import (
	"context"
	"slices"
	"time"
)

// Signal is the name of a signal without its SIG prefix.
type Signal string

// The signals that a unit may be stopped or reloaded with.
const (
	HUP  Signal = "HUP"
	INT  Signal = "INT"
	QUIT Signal = "QUIT"
	TERM Signal = "TERM"
	USR1 Signal = "USR1"
	USR2 Signal = "USR2"
)

// DefaultStopTimeout is how long a unit may take to end by itself.
const DefaultStopTimeout = 10 * time.Second

// Unit defines a process that is kept running.
type Unit struct {
	// Name is unique on the machine: lower-case letters, digits and hyphens.
	Name string `json:"name"`
	// Container is the id of the container that the unit belongs to, or empty.
	Container string `json:"container,omitempty"`
	// Exec is the program, by absolute path, and its arguments. Secrets don't
	// belong here: everybody on the machine can read a process's arguments.
	Exec []string `json:"exec"`
	// Env is added to the clean environment (PATH, HOME, PHOENIX_HOME) that
	// every unit gets, as KEY=VALUE.
	Env []string `json:"env,omitempty"`
	// Dir is the working folder, by absolute path; empty means the root folder.
	Dir string `json:"dir,omitempty"`
	// StopTimeout is how long to wait between StopSignal and the killing of the
	// whole process group; DefaultStopTimeout when zero.
	StopTimeout time.Duration `json:"stop_timeout_ns,omitempty"`
	// StopSignal asks the process to end; TERM when empty.
	StopSignal Signal `json:"stop_signal,omitempty"`
	// ReloadSignal asks the process to read its configuration again; HUP when
	// empty.
	ReloadSignal Signal `json:"reload_signal,omitempty"`
	// Digest stands for the program's content, see [Digest]: the unit is
	// restarted when a definition with another one arrives.
	Digest string `json:"digest,omitempty"`
	// Enabled says that the unit is started when the host starts.
	Enabled bool `json:"enabled,omitempty"`
}

// WithDefaults returns the unit with what was left out filled in.
func (u Unit) WithDefaults() Unit {
	if u.StopTimeout == 0 {
		u.StopTimeout = DefaultStopTimeout
	}
	if u.StopSignal == "" {
		u.StopSignal = TERM
	}
	if u.ReloadSignal == "" {
		u.ReloadSignal = HUP
	}
	if u.Dir == "" {
		u.Dir = "/"
	}
	return u
}

// Equal reports whether both definitions mean the same.
func (u Unit) Equal(other Unit) bool {
	a, b := u.WithDefaults(), other.WithDefaults()
	return a.SameProcess(b) &&
		a.Name == b.Name && a.Container == b.Container && a.Enabled == b.Enabled &&
		a.StopTimeout == b.StopTimeout && a.StopSignal == b.StopSignal && a.ReloadSignal == b.ReloadSignal
}

// SameProcess reports whether a process that was started by one definition is
// as good as one started by the other, so that nothing need be restarted.
func (u Unit) SameProcess(other Unit) bool {
	a, b := u.WithDefaults(), other.WithDefaults()
	return slices.Equal(a.Exec, b.Exec) && slices.Equal(a.Env, b.Env) && a.Dir == b.Dir && a.Digest == b.Digest
}

// State is what a unit is doing.
type State string

// The states of a unit.
const (
	// Active: its process runs.
	Active State = "active"
	// Activating: it is wanted, and its process is being started or will be
	// started again in a moment.
	Activating State = "activating"
	// Failed: it is wanted, and its process could not be started or ended soon
	// after its start, several times in a row. It is still tried again.
	Failed State = "failed"
	// Inactive: nobody wants it to run.
	Inactive State = "inactive"
)

// Status tells what became of a unit.
type Status struct {
	Name      string `json:"name"`
	Container string `json:"container,omitempty"`
	State     State  `json:"state"`
	// PID is the process, or 0 when there is none.
	PID int `json:"pid,omitempty"`
	// Since is when the unit came into its state. For an active unit it is the
	// start of its process.
	Since time.Time `json:"since"`
	// Restarts counts how often the process was started again by itself since
	// the unit was last started on request.
	Restarts int `json:"restarts"`
	// LastExit tells how the last process ended, or why none could be started.
	LastExit string `json:"last_exit,omitempty"`
	// Log is the file that has what the process said.
	Log string `json:"log"`
}

// Manager keeps units running. Every method may be called again with the same
// arguments, and answers with [ErrNotFound] when a unit is not defined.
type Manager interface {
	// Define records the unit and reports whether that changed anything. It
	// starts nothing; a unit that is running is restarted when its process would
	// now be another one.
	Define(ctx context.Context, u Unit) (changed bool, err error)
	// Start returns when the process runs, and with an error when it could not
	// be executed (it is tried again then). A running unit is left alone.
	Start(ctx context.Context, name string) error
	// Stop returns when the process and all that it started have ended.
	Stop(ctx context.Context, name string) error
	// Restart stops the unit if it is running, and starts it.
	Restart(ctx context.Context, name string) error
	// Reload sends the reload signal; ErrInactive when there is no process.
	Reload(ctx context.Context, name string) error
	// Remove stops the unit and forgets it. Its log stays. Removing what is not
	// there is no error.
	Remove(ctx context.Context, name string) error
	// Status tells about one unit.
	Status(ctx context.Context, name string) (Status, error)
	// List tells about all units, ordered by name.
	List(ctx context.Context) ([]Status, error)
}

// Info tells about the host itself.
type Info struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Home    string    `json:"home"`
	HomeID  string    `json:"home_id"`
	Started time.Time `json:"started"`
	// Bus is the URL of the bus that the host holds; empty until it answers.
	Bus string `json:"bus,omitempty"`
	// Ready is set from when the bus answers and all enabled units were started
	// until the host is told to end.
	Ready bool `json:"ready"`
	// Warnings tell what will become trouble, such as a disk that fills up.
	Warnings []string `json:"warnings,omitempty"`
}

// Host is a manager of units that can be asked about itself and told to end.
type Host interface {
	Manager
	// Info answers at any time, also before the host is ready.
	Info(ctx context.Context) (Info, error)
	// Shutdown stops all units, the last started first, then the bus, and
	// returns when that is done. The host's process ends right after.
	Shutdown(ctx context.Context) error
}
