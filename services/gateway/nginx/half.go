package nginx

import (
	"context"
	"time"
)

// half is one of the two copies of all pairs. nginx reads from one in the even
// seconds of the clock and from the other in the odd ones.
//
// nginx opens a certificate and its key one after the other. An exchange
// between the two, even by one rename, gives it a certificate with the key of
// another, and a failed handshake. So a pair whose key changes is exchanged in
// the half that nobody reads.
type half string

const (
	even half = "even"
	odd  half = "odd"
)

// halves in the order in which they are written; nginx takes a host for served
// when the last has it.
func halves() []half { return []half{odd, even} }

const (
	// settle is how long after its second a half may still be read: nginx looks
	// at the clock once for all that it finds to do.
	settle = 500 * time.Millisecond
	// spare is left to finish what was begun before the half's next second.
	spare = 100 * time.Millisecond
)

// idle tells how long to wait at the time now until nobody reads from h: zero
// when that is so already.
func (h half) idle(now time.Time) time.Duration {
	read := even
	if now.Unix()%2 != 0 {
		read = odd
	}
	into := now.Sub(now.Truncate(time.Second))
	switch {
	case read == h: // until the next second has settled
		return time.Second - into + settle
	case into < settle:
		return settle - into
	case into < time.Second-spare:
		return 0
	}
	return 2*time.Second - into + settle
}

// awaitIdle returns when nobody reads from h.
func (h half) awaitIdle(ctx context.Context) error {
	for d := h.idle(time.Now()); d > 0; d = h.idle(time.Now()) {
		t := time.NewTimer(d)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
	return nil
}
