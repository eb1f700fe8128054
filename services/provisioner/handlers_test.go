package main

import (
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/membucket"
	"github.com/phoenix-platform/phoenix/services/provisioner/ledger"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// woken remembers which stacks were woken.
type woken []string

func (w *woken) Wake(stack string) { *w = append(*w, stack) }

// desk is the handlers without a bus.
type desk struct {
	*handlers
	bucket *membucket.Bucket
	woken  *woken
}

func newDesk() desk {
	b := membucket.New()
	w := &woken{}
	return desk{&handlers{
		ledger: ledger.New(b, saga.Rules{}), stacks: w, configured: membucket.New(), log: slog.New(slog.DiscardHandler),
	}, b, w}
}

// heard returns an event as it would be heard.
func heard[T events.Payload](sequence uint64, data T) events.Event[T] {
	return events.Event[T]{Meta: events.Meta{Sequence: sequence}, Data: data}
}

// begin asks for the stack home, whose configuration was read then.
func (d desk) begin(t *testing.T) {
	t.Helper()
	if err := d.stackRequested(t.Context(), heard(1, events.StackRequested{Stack: "home"})); err != nil {
		t.Fatal(err)
	}
	d.apply(t, saga.Configured{Run: "home-1", Wishes: []saga.Wish{{ID: 103, Role: events.RoleCA}}})
}

func (d desk) apply(t *testing.T, e saga.Event) {
	t.Helper()
	if _, err := d.ledger.Apply(t.Context(), "home", e); err != nil {
		t.Fatal(err)
	}
}

func (d desk) state(t *testing.T) saga.State {
	t.Helper()
	s, err := d.ledger.Load(t.Context(), "home")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantInvalid wants an error that makes a dead letter, or none.
func wantInvalid(t *testing.T, name string, err error, invalid bool) {
	t.Helper()
	if events.IsInvalid(err) != invalid || (err != nil) != invalid {
		t.Errorf("%s: got %v, want it invalid: %t", name, err, invalid)
	}
}

func TestHandlerWakesTheStack(t *testing.T) {
	d := newDesk()
	d.begin(t)
	if !slices.Equal(*d.woken, []string{"home"}) {
		t.Errorf("woken were %v, want home", *d.woken)
	}
}

func TestHandlerAsksForLaterWhenTheBucketIsAway(t *testing.T) {
	d := newDesk()
	away := errors.New("no bus")
	d.bucket.Fail = func(string, string) error { return away }
	err := d.stackRequested(t.Context(), heard(1, events.StackRequested{Stack: "home"}))
	if !errors.Is(err, away) || events.IsInvalid(err) {
		t.Errorf("got %v, want an error that passes", err)
	}
}

func TestFormerStackMayBeAskedForWithoutConfiguration(t *testing.T) {
	d := newDesk()
	wantInvalid(t, "unknown", d.known(t.Context(), "lab"), true)
	if _, err := d.ledger.Apply(t.Context(), "lab", saga.Requested{Request: saga.Request{Run: "lab-1", Sequence: 1}}); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, "known", d.known(t.Context(), "lab"), false)
}
