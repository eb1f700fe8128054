package serve

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

func wish(sequence uint64) ledger.Wish {
	return ledger.Wish{Origin: ledger.Origin{Sequence: sequence}, Host: "a.test"}
}

func TestHostIsDueUntilItIsSettled(t *testing.T) {
	now := time.Now()
	due := func(h *host, sequence uint64) bool { start, _ := h.due(wish(sequence), now); return start }
	h := newHost()
	if !due(h, 1) {
		t.Error("a new wish is not due")
	}
	h.begin(wish(1))
	if due(h, 1) || due(h, 2) {
		t.Error("a second task would be started")
	}
	h.end(nil, now)
	if due(h, 1) {
		t.Error("a fulfilled wish is due")
	}
	if !due(h, 2) {
		t.Error("the next wish is not due")
	}
	h.begin(wish(2))
	h.unsettle()
	if due(h, 2) {
		t.Error("a second task would be started after unsettle")
	}
	h.end(nil, now)
	if !due(h, 2) {
		t.Error("a task that went by old facts counts")
	}
	h.begin(wish(2))
	h.end(nil, now)
	h.unsettle()
	if !due(h, 2) {
		t.Error("unsettle has no effect")
	}
}

func TestFailuresAreRetriedWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		var total time.Duration
		for range 20 {
			start, _ := h.due(wish(1), time.Now())
			if !start {
				t.Fatal("not due after its pause")
			}
			h.begin(wish(1))
			h.end(errors.New("no"), time.Now())
			start, when := h.due(wish(1), time.Now())
			if pause := time.Until(when); start || pause <= 0 || pause > 2*lastRetry {
				t.Fatalf("after failure %d: due %t, in %s", h.failures, start, pause)
			}
			total += time.Until(when)
			if start, _ := h.due(wish(2), time.Now()); !start {
				t.Fatal("a new wish waits for the former one's pause")
			}
			time.Sleep(time.Until(when))
		}
		if total < 5*lastRetry {
			t.Errorf("20 tries within %s", total)
		}
		h.begin(wish(2))
		if h.failures != 0 {
			t.Error("a new wish inherits failures")
		}
	})
}
