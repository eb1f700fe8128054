package serve

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Speaker publishes. It is the bus.
type Speaker interface {
	Publish(ctx context.Context, p events.Payload, opts ...events.PublishOption) (events.Ack, error)
}

// newBackOff paces what is tried again: 50 ms at first, 15 s at most.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 50*time.Millisecond, 15*time.Second
	return b
}

// rest returns false when ctx ends before the pause is over.
func rest(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
