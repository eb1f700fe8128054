package nginx

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdle(t *testing.T) {
	for _, row := range []struct {
		half       half
		second, ms int64
		want       int64 // in milliseconds
	}{
		{odd, 2, 0, 500},
		{odd, 2, 499, 1},
		{odd, 2, 500, 0},
		{odd, 2, 899, 0},
		{odd, 2, 900, 1600},
		{odd, 2, 999, 1501},
		{odd, 3, 0, 1500},
		{odd, 3, 999, 501},
		{even, 3, 0, 500},
		{even, 3, 700, 0},
		{even, 2, 700, 800},
	} {
		now := time.Unix(row.second, row.ms*1e6)
		got := row.half.idle(now)
		if got != time.Duration(row.want*1e6) {
			t.Errorf("%s at %d.%03d: got %s, want %d ms", row.half, row.second, row.ms, got, row.want)
		}
		if got > 0 && row.half.idle(now.Add(got)) != 0 {
			t.Errorf("%s at %d.%03d: after %s it has to wait again", row.half, row.second, row.ms, got)
		}
	}
}

func TestAwaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, h := range halves() {
			if err := h.awaitIdle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := h.idle(time.Now()); d != 0 {
				t.Errorf("%s: came back %s early", h, d)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			time.Sleep(h.idleEnd(time.Now()))
			if err := h.awaitIdle(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want %v", h, err, context.Canceled)
			}
		}
	})
}

// idleEnd tells how long the half will stay idle.
func (h half) idleEnd(now time.Time) time.Duration {
	var d time.Duration
	for h.idle(now.Add(d)) == 0 {
		d += time.Millisecond
	}
	return d
}
