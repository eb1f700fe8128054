package serve

import (
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// host is what the loop knows of one host.
type host struct {
	settled  uint64 // sequence of the wish that was last fulfilled
	tried    uint64 // sequence of the wish that was last tried
	busy     bool   // a task is under way
	stale    bool   // what the task goes by has changed
	failures int    // in a row, with the wish that was last tried
	retry    *backoff.ExponentialBackOff
	after    time.Time // when to try again
}

func newHost() *host {
	h := &host{retry: backoff.NewExponentialBackOff()}
	h.retry.InitialInterval, h.retry.MaxInterval = firstRetry, lastRetry
	h.retry.Multiplier = 2
	return h
}

// due says whether a task for the wish is to be started now; if not, when. The
// zero time means: not before something happens.
func (h *host) due(w ledger.Wish, now time.Time) (start bool, when time.Time) {
	switch {
	case h.busy || h.settled >= w.Sequence:
		return false, time.Time{}
	case h.tried < w.Sequence: // a new wish does not wait for the former one's pause
		return true, now
	}
	return !h.after.After(now), h.after
}

// begin notes that a task for the wish was started.
func (h *host) begin(w ledger.Wish) {
	if h.tried < w.Sequence {
		h.failures = 0
		h.retry.Reset()
	}
	h.busy, h.tried = true, w.Sequence
}

// end notes how the task ended.
func (h *host) end(err error, now time.Time) {
	stale := h.stale
	h.busy, h.stale = false, false
	if err == nil {
		h.failures, h.after = 0, time.Time{}
		h.retry.Reset()
		if !stale {
			h.settled = h.tried
		}
		return
	}
	h.failures++
	h.after = now.Add(h.retry.NextBackOff())
	if stale {
		h.after = time.Time{}
	}
}

// unsettle has the host looked at again, at once or after the task that is under
// way.
func (h *host) unsettle() {
	h.stale = h.busy
	h.settled, h.after = 0, time.Time{}
	h.retry.Reset()
}
