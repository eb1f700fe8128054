package host

import (
	"fmt"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// The verbs run in the keeper's goroutine, through ask.

// define records u, and restarts the process if it would be another one now.
func (k *keeper) define(u unit.Unit) (changed bool, err error) {
	if err := k.open(); err != nil {
		return false, err
	}
	if k.definition != nil && k.definition.Equal(u) {
		return false, nil
	}
	if err := k.machine.store.define(u); err != nil {
		return false, err
	}
	k.definition = &u
	k.log.Info("unit defined", "exec", u.Exec, "enabled", u.Enabled)
	if k.record.Wanted && !k.record.Definition.SameProcess(u) {
		return true, k.again()
	}
	return true, nil
}

// open returns an error when no unit may be defined or started any more.
func (k *keeper) open() error {
	if k.machine.closing.Load() {
		return fmt.Errorf("unit %s: the host is ending: %w", k.name, unit.ErrUnavailable)
	}
	return nil
}

// known returns an error when the unit is not defined.
func (k *keeper) known() error {
	if k.definition == nil {
		return fmt.Errorf("unit %s: %w", k.name, unit.ErrNotFound)
	}
	return nil
}

// start starts the process unless it runs.
func (k *keeper) start() error {
	if err := k.known(); err != nil {
		return err
	}
	if err := k.open(); err != nil {
		return err
	}
	if k.process == nil {
		k.want()
		return k.spawn()
	}
	if !k.record.Wanted { // it did not let itself be stopped
		k.want()
		k.note()
	}
	return nil
}

// want makes the unit wanted from now on.
func (k *keeper) want() {
	if !k.record.Wanted {
		k.record.Since = time.Now()
	}
	k.record.Wanted = true
	k.record.Restarts = 0
	k.failures = 0
}

// stop ends the process. That it is no longer wanted is recorded first: a host
// that is killed meanwhile leaves the rest to the next one.
func (k *keeper) stop() error {
	if k.record.Wanted {
		k.record.Wanted = false
		k.note()
	}
	if k.process == nil && k.retry == nil && !k.dirty {
		return nil
	}
	k.log.Info("stopping")
	err := k.terminate()
	k.note()
	return err
}

// restart stops the process, if any, and starts it.
func (k *keeper) restart() error {
	if err := k.known(); err != nil {
		return err
	}
	if err := k.open(); err != nil {
		return err
	}
	k.want()
	return k.again()
}

// again replaces the process.
func (k *keeper) again() error {
	if err := k.terminate(); err != nil {
		return err
	}
	return k.spawn()
}

// reload signals the process.
func (k *keeper) reload() error {
	if err := k.known(); err != nil {
		return err
	}
	if k.process == nil {
		return fmt.Errorf("reload unit %s: %w", k.name, unit.ErrInactive)
	}
	if err := k.process.Signal(number(k.definition.WithDefaults().ReloadSignal)); err != nil {
		return fmt.Errorf("reload unit %s: %w: %w", k.name, unit.ErrInactive, err)
	}
	return nil
}

// remove stops the unit and forgets it.
func (k *keeper) remove() error {
	if err := k.stop(); err != nil {
		return err
	}
	if k.definition != nil {
		k.log.Info("unit removed")
	}
	if err := k.machine.store.undefine(k.name); err != nil {
		return err
	}
	k.definition, k.record = nil, record{}
	return k.machine.store.unnote(k.name)
}

// shut stops the unit for the host's own end: the next host starts it if it is
// enabled.
func (k *keeper) shut() error {
	if err := k.stop(); err != nil {
		return err
	}
	return k.machine.store.unnote(k.name)
}

// restore takes over what the last host left, given all processes of the
// machine. Nothing is started unless begin is set.
func (k *keeper) restore(found []process.Found, begin bool) error {
	definition, err := k.machine.store.definition(k.name)
	if err != nil {
		k.log.Error("definition is unreadable and so forgotten; define the unit again", "error", err)
	}
	k.definition, k.record = definition, k.machine.store.record(k.name)
	if k.record.Epoch != k.machine.epoch {
		k.record = record{} // its process is gone, and the number may be anybody's
	}
	k.leader = k.record.Process
	members := process.Members(found, k.machine.traces(k.name, k.leader))
	k.dirty = len(members) > 0
	main, alive := survivor(members, k.record)
	if alive {
		alive = k.adopt(main)
	}
	v := decide(k.definition, k.record, k.machine.epoch, alive)
	k.log.Debug("unit found", "alive", alive, "verdict", v)
	return k.carryOut(v, begin)
}

// adopt takes over a running process, unless it ended meanwhile.
func (k *keeper) adopt(id process.ID) bool {
	p, err := process.Adopt(id)
	if err != nil {
		k.log.Info("process is gone", "pid", id.PID, "error", err)
		return false
	}
	k.took(p)
	if k.record.Started.IsZero() {
		k.record.Started = time.Now()
	}
	k.note()
	k.log.Info("process adopted", "pid", id.PID)
	return true
}

// carryOut does what was decided.
func (k *keeper) carryOut(v verdict, begin bool) error {
	switch v {
	case keep:
		return nil
	case stop:
		err := k.stop()
		if err == nil && k.definition == nil {
			err = k.machine.store.unnote(k.name)
		}
		return err
	case restart, start:
		if !begin {
			return nil
		}
		if !k.record.Wanted {
			k.want()
		}
		return k.again()
	default:
		k.record.Process = process.ID{}
		return k.clean()
	}
}
