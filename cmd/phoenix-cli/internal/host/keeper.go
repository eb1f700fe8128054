package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// keeper keeps one unit as it is wanted. Its goroutine does one thing at a time,
// and alone touches the fields of the first group. It stays when its unit is
// removed, for a unit of the same name to be defined anew.
type keeper struct {
	name     string
	machine  *machine
	log      *slog.Logger
	requests chan func()
	over     chan struct{} // closed when the goroutine has ended

	definition *unit.Unit // nil when the unit is not defined
	record     record
	process    *process.Process // nil when none runs
	leader     process.ID       // the last process, whose group may live on
	dirty      bool             // something may be left of the last process
	failures   int              // ends in a row
	retry      *time.Timer      // nil unless a start is due

	mu      sync.Mutex
	status  unit.Status
	defined bool
	since   time.Time
}

func newKeeper(m *machine, name string) *keeper {
	k := &keeper{name: name, machine: m, log: m.log.With("unit", name), requests: make(chan func()), over: make(chan struct{})}
	k.publish()
	return k
}

// run is the keeper's goroutine. Processes outlive it.
func (k *keeper) run(ctx context.Context) {
	defer k.letGo()
	for {
		select {
		case <-ctx.Done():
			return
		case do := <-k.requests:
			do()
		case <-k.ended():
			k.onEnd()
		case <-k.due():
			k.onDue()
		}
		k.publish()
	}
}

// letGo leaves the process alone.
func (k *keeper) letGo() {
	k.cancelRetry()
	if k.process != nil {
		k.process.Forget()
	}
}

// ask has do run in the keeper's goroutine, and returns its error. When ctx ends
// before that, do may still run.
func (k *keeper) ask(ctx context.Context, do func() error) error {
	answer := make(chan error, 1)
	request := func() {
		err := do()
		k.publish() // before the answer, so that whoever asks next sees it
		answer <- err
	}
	select {
	case k.requests <- request:
	case <-k.over:
		return fmt.Errorf("unit %s: the host is ending: %w", k.name, unit.ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("unit %s: %w", k.name, ctx.Err())
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("unit %s: %w", k.name, ctx.Err())
	}
}

// ended is closed when the process has ended, and nil when there is none.
func (k *keeper) ended() <-chan struct{} {
	if k.process == nil {
		return nil
	}
	return k.process.Done()
}

// due tells when to start again, and is nil when no start is due.
func (k *keeper) due() <-chan time.Time {
	if k.retry == nil {
		return nil
	}
	return k.retry.C
}

func (k *keeper) cancelRetry() {
	if k.retry != nil {
		k.retry.Stop()
		k.retry = nil
	}
}

// onEnd answers the end of the process.
func (k *keeper) onEnd() {
	up := time.Since(k.record.Started)
	k.bury()
	k.log.Warn("process ended", "exit", k.record.LastExit, "up", up.Round(time.Millisecond), "wanted", k.record.Wanted)
	if up >= steadyAfter {
		k.failures = 0
	}
	if err := k.clean(); err != nil {
		k.log.Error("leftovers remain", "error", err)
	}
	if k.record.Wanted {
		k.postpone()
	}
	k.note()
}

// bury records the end of the process.
func (k *keeper) bury() {
	k.record.LastExit = k.process.Exit()
	k.record.Process = process.ID{}
	k.process.Forget()
	k.process = nil
}

// postpone has the unit started again in a while.
func (k *keeper) postpone() {
	k.failures++
	k.cancelRetry()
	k.retry = time.NewTimer(delay(k.failures))
}

// onDue starts the process again.
func (k *keeper) onDue() {
	k.record.Restarts++
	if err := k.spawn(); err != nil {
		k.log.Error("restart failed", "error", err)
	}
}

// clean kills what is left of the last process.
func (k *keeper) clean() error {
	if !k.dirty {
		return nil
	}
	if err := k.machine.sweep(context.Background(), k.name, k.leader); err != nil {
		return err
	}
	k.dirty = false
	return nil
}

// spawn executes the unit's program, and tries again later when it cannot.
func (k *keeper) spawn() error {
	k.cancelRetry()
	err := k.execute()
	if err == nil {
		k.log.Info("process started", "pid", k.record.Process.PID)
		return nil
	}
	k.record.LastExit = err.Error()
	k.postpone()
	k.note()
	return fmt.Errorf("%w: %s: %w", unit.ErrStart, k.name, err)
}

// execute starts a process once nothing is left of the last one. It is recorded
// before, so that a host that is killed in between leaves nothing unknown.
func (k *keeper) execute() error {
	if err := k.clean(); err != nil {
		return err
	}
	k.record.Definition = *k.definition
	k.record.Process = process.ID{}
	k.note()
	log, err := openLog(k.machine.logFile(k.name))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	spec := k.machine.spec(*k.definition)
	spec.Output = log
	p, err := k.machine.reaper.Start(spec)
	if err != nil {
		return fmt.Errorf("start process: %w", err)
	}
	k.took(p)
	k.record.Started = time.Now()
	k.note()
	return nil
}

// took makes p the unit's process.
func (k *keeper) took(p *process.Process) {
	k.process, k.leader, k.dirty = p, p.ID(), true
	k.record.Process = p.ID()
}

// note saves the record. A unit runs all the same when that fails: on a full
// disk, a restart matters more than what a host that is killed then would know.
func (k *keeper) note() {
	k.record.Epoch = k.machine.epoch
	if err := k.machine.store.note(k.name, k.record); err != nil {
		k.log.Error("record not saved", "error", err)
	}
}

// terminate asks the process to end, kills it and all it started in the end, and
// returns when nothing of it is left.
func (k *keeper) terminate() error {
	k.cancelRetry()
	if k.process != nil {
		if err := k.end(); err != nil {
			return err
		}
	}
	return k.clean()
}

// end ends the process.
func (k *keeper) end() error {
	u := k.record.Definition.WithDefaults()
	if k.definition != nil {
		u = k.definition.WithDefaults()
	}
	err := k.process.Signal(number(u.StopSignal))
	if err != nil && !errors.Is(err, process.ErrGone) {
		return fmt.Errorf("stop unit %s: %w", k.name, err)
	}
	patience := time.NewTimer(u.StopTimeout)
	defer patience.Stop()
	select {
	case <-k.process.Done():
	case <-patience.C:
		k.log.Warn("process did not end when asked", "signal", u.StopSignal, "after", u.StopTimeout)
		if err := k.clean(); err != nil {
			return err
		}
		<-k.process.Done()
	}
	k.bury()
	return nil
}
