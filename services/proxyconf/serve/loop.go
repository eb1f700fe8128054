package serve

import (
	"context"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Speaker publishes. It is the bus.
type Speaker interface {
	Publish(ctx context.Context, p events.Payload, opts ...events.PublishOption) (events.Ack, error)
}

// bell wakes one reconciler. However often it is rung, it wakes once.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

// Ring wakes the reconciler, now or as soon as it has time.
func (b bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// The pauses after a step that failed.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 15 * time.Second
)

// loop runs step, again after the time that it names or when the bell rings,
// until ctx ends. A step that fails is tried again with growing pauses.
func loop(ctx context.Context, b bell, log *slog.Logger, step func(context.Context) (again time.Duration, err error)) error {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = firstPause, mostPause
	for {
		again, err := step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			again = retry.NextBackOff()
			log.WarnContext(ctx, "tried again later", "err", err, "again", again)
		} else {
			retry.Reset()
		}
		if !rest(ctx, b, again) {
			return nil
		}
	}
}

// rest returns after the pause, if there is one, or when the bell rings. It
// returns false when ctx has ended.
func rest(ctx context.Context, b bell, pause time.Duration) bool {
	var after <-chan time.Time
	if pause > 0 {
		t := time.NewTimer(pause)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-b:
	case <-after:
	}
	return true
}

// sooner returns the shorter of two pauses, where 0 means none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
