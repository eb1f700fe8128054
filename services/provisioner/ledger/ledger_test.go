package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/membucket"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func request(seq uint64) saga.Requested {
	return saga.Requested{Request: saga.Request{Run: events.RunID("home", seq), Sequence: seq, Want: events.Present}}
}

func configured(run string) saga.Configured {
	return saga.Configured{Run: run, Wishes: []saga.Wish{{ID: 103, Role: events.RoleCA, Name: "home-ca"}}}
}

// apply applies events to the stack home.
func apply(t *testing.T, l *Ledger, list ...saga.Event) saga.State {
	t.Helper()
	var s saga.State
	for _, e := range list {
		var err error
		if s, err = l.Apply(t.Context(), "home", e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestApplyStoresWhatARestartedProvisionerReads(t *testing.T) {
	b := membucket.New()
	want := apply(t, New(b, saga.Rules{}), request(1), configured("home-1"))
	got, err := New(b, saga.Rules{}).Load(t.Context(), "home")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Next(), want.Next()) || !got.Deadline.Equal(want.Deadline) {
		t.Errorf("read back %v until %s, want %v until %s", got.Next(), got.Deadline, want.Next(), want.Deadline)
	}
}

func TestUnchangedStateIsNotStoredAgain(t *testing.T) {
	b := membucket.New()
	l := New(b, saga.Rules{})
	apply(t, l, request(1))
	before := len(b.Writes())
	apply(t, l, request(1), saga.Tick{})
	if after := b.Writes()[before:]; len(after) != 0 {
		t.Errorf("written again: %v", after)
	}
}

func TestUnknownStackIsAbsentAndLeavesNoTrace(t *testing.T) {
	b := membucket.New()
	l := New(b, saga.Rules{})
	if s, err := l.Load(t.Context(), "home"); err != nil || s.Phase != saga.Absent {
		t.Errorf("phase %s, %v, want absent", s.Phase, err)
	}
	if keys := b.Keys(); len(keys) != 0 {
		t.Errorf("bucket has %v", keys)
	}
}

func TestPublicEntriesFollowTheState(t *testing.T) {
	b := membucket.New()
	l := New(b, saga.Rules{})
	apply(t, l, request(1), configured("home-1"))
	if want := []string{"container.103", "saga.home", "stack.home"}; !slices.Equal(b.Keys(), want) {
		t.Fatalf("bucket has %v, want %v", b.Keys(), want)
	}
	raw, _, err := b.Get(t.Context(), "stack.home")
	if err != nil {
		t.Fatal(err)
	}
	var public events.StackState
	if err := json.Unmarshal(raw, &public); err != nil || public.State != events.StateStarting || public.Run != "home-1" {
		t.Errorf("stack.home is %+v, %v", public, err)
	}
	absent := saga.Requested{Request: saga.Request{Run: "home-2", Sequence: 2, Want: events.Absent}}
	apply(t, l, absent, saga.ContainersListed{Run: "home-2"})
	if want := []string{"saga.home", "stack.home"}; !slices.Equal(b.Keys(), want) {
		t.Errorf("after removal bucket has %v, want %v", b.Keys(), want)
	}
}

func TestPublicEntriesAreMendedAfterACrash(t *testing.T) {
	b := membucket.New()
	crash := errors.New("killed")
	b.Fail = func(_, key string) error {
		if strings.HasPrefix(key, "stack.") {
			return crash
		}
		return nil
	}
	if _, err := New(b, saga.Rules{}).Apply(t.Context(), "home", request(1)); !errors.Is(err, crash) {
		t.Fatalf("apply: %v, want %v", err, crash)
	}
	b.Fail = nil
	l := New(b, saga.Rules{})
	if s := apply(t, l, saga.Tick{}); s.Run != "home-1" {
		t.Errorf("run is %q, want home-1", s.Run)
	}
	if !slices.Contains(b.Keys(), "stack.home") {
		t.Errorf("bucket has %v, want stack.home in it", b.Keys())
	}
}

func TestOtherStacksContainersAreLeftAlone(t *testing.T) {
	b := membucket.New()
	for key, value := range map[string]string{"container.7": `{"stack":"other"}`, "container.8": "{", "stack.home2": "{}"} {
		if _, err := b.Put(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, New(b, saga.Rules{}), request(1))
	for _, key := range []string{"container.7", "container.8", "stack.home2"} {
		if !slices.Contains(b.Keys(), key) {
			t.Errorf("%s was deleted", key)
		}
	}
}

func TestTwoWritersNeverLoseAnEvent(t *testing.T) {
	b := membucket.New()
	one, two := New(b, saga.Rules{}), New(b, saga.Rules{})
	apply(t, one, request(1))
	apply(t, two, configured("home-1"))
	s := apply(t, one, saga.ServicesRegistered{Run: "home-1", Changed: 1})
	if len(s.Containers) != 1 || !s.Steps[saga.StepServices].Done {
		t.Errorf("state has %d containers and services done %t, want both writers' events", len(s.Containers), s.Steps[saga.StepServices].Done)
	}
}

func TestEndlessConflictIsAnError(t *testing.T) {
	b := membucket.New()
	b.Fail = func(string, string) error { return events.ErrConflict }
	if _, err := New(b, saga.Rules{}).Apply(t.Context(), "home", request(1)); !errors.Is(err, events.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestStacks(t *testing.T) {
	b := membucket.New()
	l := New(b, saga.Rules{})
	for _, stack := range []string{"lab", "home"} {
		if _, err := l.Apply(t.Context(), stack, request(1)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := l.Stacks(t.Context()); err != nil || !slices.Equal(got, []string{"home", "lab"}) {
		t.Errorf("stacks are %v, %v", got, err)
	}
}

func TestUnreadableStateIsAnError(t *testing.T) {
	b := membucket.New()
	if _, err := b.Put(context.Background(), "saga.home", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(b, saga.Rules{}).Load(t.Context(), "home"); err == nil {
		t.Error("half a state was read")
	}
}
