package host

import (
	"time"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// publish makes the present state visible to others.
func (k *keeper) publish() {
	s := unit.Status{
		Name: k.name, State: k.state(), Since: time.Now(),
		Restarts: k.record.Restarts, LastExit: k.record.LastExit, Log: k.machine.logFile(k.name),
	}
	if k.definition != nil {
		s.Container = k.definition.Container
	}
	if k.process != nil {
		s.PID, s.Since = k.process.ID().PID, k.record.Started
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.State == k.status.State && k.process == nil {
		s.Since = k.status.Since
	}
	k.status, k.defined, k.since = s, k.definition != nil, k.record.Since
}

// state returns what the unit is doing.
func (k *keeper) state() unit.State {
	switch {
	case k.process != nil:
		return unit.Active
	case k.record.Wanted && k.failures >= failedAfter:
		return unit.Failed
	case k.record.Wanted:
		return unit.Activating
	}
	return unit.Inactive
}

// seen returns the last published status, and false when the unit is not
// defined. It never waits.
func (k *keeper) seen() (unit.Status, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status, k.defined
}

// wantedSince returns when the unit was last wanted.
func (k *keeper) wantedSince() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.since
}
