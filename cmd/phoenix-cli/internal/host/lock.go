package host

import (
	"context"
	"errors"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

const (
	// lockPatience is how long to wait for a host that does not answer any more
	// to let go of the home.
	lockPatience = 3 * time.Second
	// lockTry is how long one try takes.
	lockTry = 20 * time.Millisecond
)

// takeLock takes the lock of the home's host. It does not wait for a host that
// answers: this one would take over much later, when nobody expects it.
func takeLock(ctx context.Context, h *home.Home) (*home.Lock, error) {
	client, err := unit.Dial("unix:" + h.Socket())
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lockPatience)
	for {
		lock, err := tryLock(ctx, h)
		var locked *home.LockedError
		if !errors.As(err, &locked) || ctx.Err() != nil || time.Now().After(deadline) {
			return lock, err
		}
		if _, unanswered := client.Info(ctx); unanswered == nil {
			return nil, err
		}
	}
}

func tryLock(ctx context.Context, h *home.Home) (*home.Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, lockTry)
	defer cancel()
	return h.Lock(ctx, home.HostLock)
}
