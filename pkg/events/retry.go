package events

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// answerFor bounds the wait for one answer of the bus. A question that was under
// way while the bus restarted is never answered.
const answerFor = 5 * time.Second

// newBackOff paces retries against the bus: 50 ms at first, 2 s at most.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 50 * time.Millisecond
	b.MaxInterval = 2 * time.Second
	return b
}

// wait ends after d or with ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// redeliverAfter is the delay before delivery number n+1: 200 ms doubling to
// 30 s. A consumer's own backoff would not apply to messages that a handler
// refused.
func redeliverAfter(n uint64) time.Duration {
	const first, most = 200 * time.Millisecond, 30 * time.Second
	if n == 0 {
		n = 1
	}
	if n > 8 {
		return most
	}
	return min(first<<(n-1), most)
}
