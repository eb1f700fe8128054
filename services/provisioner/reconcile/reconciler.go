// Package reconcile drives sagas: it lets actions be carried out, folds their
// results into the state, and lets time pass. Nothing it holds in memory is
// needed after a restart.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// Ledger is where sagas are kept.
type Ledger interface {
	Load(ctx context.Context, stack string) (saga.State, error)
	Apply(ctx context.Context, stack string, e saga.Event) (saga.State, error)
}

// World carries actions out. A nil event means that there is nothing to tell.
type World interface {
	Do(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error)
}

// Reconciler drives the saga of one stack.
type Reconciler struct {
	stack  string
	ledger Ledger
	world  World
	pace   Pace
	log    *slog.Logger
	wake   chan struct{}
}

// New returns the reconciler of a stack.
func New(stack string, ledger Ledger, world World, pace Pace, log *slog.Logger) *Reconciler {
	return &Reconciler{
		stack: stack, ledger: ledger, world: world, pace: pace,
		log: log.With("stack", stack), wake: make(chan struct{}, 1),
	}
}

// Wake tells the reconciler that somebody else has changed the state. It never
// blocks.
func (r *Reconciler) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run drives the saga until ctx ends, and returns when all that was under way
// has ended. What could not be finished is found again in the state.
func (r *Reconciler) Run(ctx context.Context) error {
	f := newFleet(r.world, r.pace)
	defer f.land()
	retry := r.pace.retry()
	event := saga.Event(saga.Tick{}) // lets the state be told anew after a crash
	for ctx.Err() == nil {
		next, err := r.turn(ctx, f, event)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			r.log.WarnContext(ctx, "the stack's state can't be read or stored; trying again", "err", err)
			if !sleep(ctx, retry.NextBackOff()) {
				break
			}
			continue
		}
		retry.Reset()
		event = r.wait(ctx, f, next)
	}
	return nil
}

// turn folds an event into the state, starts what is to be done then, and
// returns when it wants to be called again at the latest.
func (r *Reconciler) turn(ctx context.Context, f *fleet, e saga.Event) (time.Time, error) {
	before, err := r.ledger.Load(ctx, r.stack)
	if err != nil {
		return time.Time{}, err
	}
	s := before
	if e != nil {
		if s, err = r.ledger.Apply(ctx, r.stack, e); err != nil {
			return time.Time{}, err
		}
	}
	r.tell(ctx, before, s)
	return earliest(s.Wake(), f.steer(ctx, s)), nil
}

// wait returns the next event, or nil when somebody else changed the state.
func (r *Reconciler) wait(ctx context.Context, f *fleet, next time.Time) saga.Event {
	timer := time.NewTimer(until(next))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-r.wake:
		return nil
	case <-timer.C:
		return saga.Tick{}
	case l := <-f.landed:
		return f.receive(l)
	}
}

// tell logs what has become of the stack.
func (r *Reconciler) tell(ctx context.Context, before, s saga.State) {
	was, is := before.Public(), s.Public()
	if was.State == is.State && was.Step == is.Step && was.Run == is.Run && was.Reason == is.Reason {
		return
	}
	r.log.InfoContext(ctx, "stack", "state", is.State, "run", is.Run, "step", is.Step, "reason", is.Reason)
}
