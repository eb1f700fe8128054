package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/propagation"

	"github.com/phoenix-platform/phoenix/services/provisioner/act"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// fleet is the actions that are under way or wait for their next attempt. Its
// methods are called by one goroutine; the actions run in others, which all end
// by a landing.
type fleet struct {
	world   World
	pace    Pace
	flights map[saga.Action]*flight
	landed  chan landing
}

// flight is one action.
type flight struct {
	action  saga.Action
	cancel  context.CancelFunc // not nil while it is under way
	retry   *backoff.ExponentialBackOff
	next    time.Time // not before
	trouble string    // what was told of it last
	revoked bool      // nobody wants its result any more
}

// landing is the end of an attempt.
type landing struct {
	flight *flight
	event  saga.Event
	err    error
}

func newFleet(w World, p Pace) *fleet {
	return &fleet{world: w, pace: p, flights: map[saga.Action]*flight{}, landed: make(chan landing)}
}

// steer starts what the state asks for and calls back what it does not ask for
// any more. Nothing new starts while something that was called back is still
// under way: the new might contradict it. It returns when the next attempt is
// due, zero for none.
func (f *fleet) steer(ctx context.Context, s saga.State) time.Time {
	actions := s.Next()
	if f.callBack(actions) {
		return time.Time{}
	}
	lanes := map[string]bool{}
	for _, fl := range f.flights {
		if fl.cancel != nil {
			lanes[fl.action.Lane()] = true
		}
	}
	var next time.Time
	for _, a := range actions {
		fl := f.flight(a, s)
		switch {
		case lanes[a.Lane()]:
		case time.Now().Before(fl.next):
			next = earliest(next, fl.next)
		default:
			lanes[a.Lane()] = true
			f.start(ctx, s, fl)
		}
	}
	return next
}

// callBack cancels and forgets what is not in the list, and says whether any of
// it is still under way.
func (f *fleet) callBack(actions []saga.Action) (busy bool) {
	wanted := make(map[saga.Action]bool, len(actions))
	for _, a := range actions {
		wanted[a] = true
	}
	for a, fl := range f.flights {
		switch {
		case wanted[a] && !fl.revoked:
		case fl.cancel == nil:
			delete(f.flights, a)
		default:
			fl.revoked = true
			fl.cancel()
			busy = true
		}
	}
	return busy
}

func (f *fleet) flight(a saga.Action, s saga.State) *flight {
	fl, ok := f.flights[a]
	if !ok {
		fl = &flight{action: a, retry: f.pace.retry()}
		if s.Phase == saga.Settled {
			fl.retry = f.pace.repair()
		}
		if a.Recurring() {
			fl.next = time.Now().Add(f.pace.interval())
		}
		f.flights[a] = fl
	}
	return fl
}

// start carries the action out in a goroutine of its own.
func (f *fleet) start(ctx context.Context, s saga.State, fl *flight) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": s.Trace})
	ctx, fl.cancel = context.WithTimeout(ctx, f.pace.Limit)
	go func() {
		e, err := f.world.Do(ctx, s, fl.action)
		f.landed <- landing{fl, e, err}
	}()
}

// receive settles an attempt and returns what the state must know of it, nil
// for nothing.
func (f *fleet) receive(l landing) saga.Event {
	fl := l.flight
	fl.cancel()
	fl.cancel = nil
	if l.err == nil && fl.action.Recurring() {
		fl.next = time.Now().Add(f.pace.interval())
	} else {
		fl.next = time.Now().Add(fl.retry.NextBackOff())
	}
	switch {
	case l.err == nil:
		fl.trouble = ""
		return l.event
	case fl.revoked || fl.trouble == l.err.Error():
		return nil
	}
	fl.trouble = l.err.Error()
	if errors.Is(l.err, act.ErrRefused) {
		return saga.Refused{Run: fl.action.Run, Step: fl.action.Step, Reason: fl.trouble}
	}
	return saga.Trouble{Run: fl.action.Run, Step: fl.action.Step, Reason: fl.trouble}
}

// land calls everything back and waits until it has ended.
func (f *fleet) land() {
	for f.callBack(nil) {
		f.receive(<-f.landed)
	}
}
