package host

import (
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// record is what must be known of a unit's process for another host to go on
// where this one was killed. It is written before a process is executed, without
// its identity, and again when that is known.
type record struct {
	// Epoch is when and where the process had its number, see process.Epoch.
	Epoch string `json:"epoch"`
	// Wanted says that the unit is to run. A stopped unit stays stopped when the
	// host is killed and comes back.
	Wanted bool `json:"wanted"`
	// Since is when it was last wanted; units are stopped the youngest first.
	Since time.Time `json:"since"`
	// Definition is what the process was started from.
	Definition unit.Unit `json:"definition"`
	// Process is zero while it is being executed, and when there is none.
	Process process.ID `json:"process"`
	// Started is when the process was executed.
	Started  time.Time `json:"started"`
	Restarts int       `json:"restarts"`
	LastExit string    `json:"last_exit,omitempty"`
}

// verdict is what a new host does about a unit.
type verdict string

const (
	leave   verdict = "leave"   // it stays down, and its leftovers go
	start   verdict = "start"   // a new process, after its leftovers went
	keep    verdict = "keep"    // adopt the process
	restart verdict = "restart" // adopt the process and restart it
	stop    verdict = "stop"    // adopt the process and stop it
)

// decide returns what to do about a unit whose process is alive or not, given
// what the last host recorded and which epoch this is. A unit that is no longer
// defined has no definition.
func decide(definition *unit.Unit, r record, epoch string, alive bool) verdict {
	sameEpoch := r.Epoch == epoch
	switch {
	case definition == nil && alive:
		return stop
	case definition == nil:
		return leave
	case alive && !r.Wanted:
		return stop
	case alive && !r.Definition.SameProcess(*definition):
		return restart
	case alive:
		return keep
	case sameEpoch && r.Wanted:
		return start
	case !sameEpoch && definition.Enabled:
		return start
	}
	return leave
}

// survivor picks, among the processes that bear the unit's traces, the one that
// the unit is. It is the recorded one; when the last host was killed before it
// could record that, it is the one that leads its group.
func survivor(members []process.Found, r record) (process.ID, bool) {
	for _, m := range members {
		if m.ID == r.Process {
			return m.ID, true
		}
	}
	if r.Process != (process.ID{}) {
		return process.ID{}, false
	}
	for _, m := range members {
		if m.Leads() {
			return m.ID, true
		}
	}
	return process.ID{}, false
}
