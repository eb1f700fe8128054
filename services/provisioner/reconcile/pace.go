package reconcile

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pace says how fast things are tried and looked at again.
type Pace struct {
	First time.Duration // after the first failure
	Most  time.Duration // the longest pause while a run is under way
	Calm  time.Duration // the longest pause in the repair of a settled stack
	Watch time.Duration // between two looks at a settled stack, give or take a fifth
	Limit time.Duration // the longest time that one action may take
}

// DefaultPace returns the usual pace.
func DefaultPace() Pace {
	return Pace{First: 20 * time.Millisecond, Most: time.Second, Calm: time.Minute, Watch: 5 * time.Second, Limit: time.Minute}
}

// retry paces attempts while somebody waits for the outcome.
func (p Pace) retry() *backoff.ExponentialBackOff { return p.backOff(p.Most) }

// repair paces attempts that go on without end.
func (p Pace) repair() *backoff.ExponentialBackOff { return p.backOff(p.Calm) }

func (p Pace) backOff(most time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = p.First, most
	return b
}

// interval returns the time until the next look, so that not everybody looks at
// the same moment.
func (p Pace) interval() time.Duration {
	return time.Duration(float64(p.Watch) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // jitter needs no secrecy
}

// idle is how long nothing is looked at when there is no reason to.
const idle = time.Hour

// until returns the time from now to t; a zero t is far away.
func until(t time.Time) time.Duration {
	if t.IsZero() {
		return idle
	}
	return time.Until(t)
}

// earliest returns the earlier of two times, of which a zero one never comes.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// sleep returns false when ctx ended before d had passed.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
