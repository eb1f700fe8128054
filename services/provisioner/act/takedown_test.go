package act

import (
	"errors"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// failed is the state after a run that made containers failed.
func failed(r *rig, s saga.State) saga.State {
	r.t.Helper()
	return r.apply(s, saga.Refused{Run: s.Run, Step: saga.StepServices, Reason: "no"})
}

func undo(id int) saga.Action { return saga.Action{Kind: saga.Undo, Container: id} }

func TestUndoRemovesWhatTheRunCreated(t *testing.T) {
	r := newRig(t)
	s := failed(r, r.full("home-1"))
	if got := r.do(s, undo(103)); got != (saga.ContainerUndone{Run: "home-1", ID: 103, What: "container 103 (ca)"}) {
		t.Errorf("told was %+v", got)
	}
	if _, err := r.inspect(103); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("the container is there still: %v", err)
	}
	if got := r.do(s, undo(103)); got != (saga.ContainerUndone{Run: "home-1", ID: 103}) {
		t.Errorf("told was %+v the second time", got)
	}
}

func TestUndoKeepsDataOfAFormerLife(t *testing.T) {
	r := newRig(t)
	r.full("home-1")
	if err := r.Driver.Destroy(t.Context(), driver.Ref{ID: 103, Stack: "home"}, driver.Keep); err != nil {
		t.Fatal(err)
	}
	s := failed(r, r.full("home-2"))
	if got := r.do(s, undo(103)); got != (saga.ContainerUndone{Run: "home-2", ID: 103, What: "container 103 (ca), its data is kept"}) {
		t.Errorf("told was %+v", got)
	}
	if c, err := r.inspect(103); err != nil || c.Running || c.Run != "home-1" {
		t.Errorf("container is %+v, %v, want it stopped and of home-1", c, err)
	}
}

func TestUndoLeavesWhatSomebodyElseMade(t *testing.T) {
	for name, other := range map[string]driver.Mark{
		"another run":   {Stack: "home", Run: "home-0", Role: events.RoleCA},
		"another stack": {Stack: "lab", Run: "home-1", Role: events.RoleCA},
	} {
		r := newRig(t)
		s := failed(r, r.full("home-1"))
		if err := r.Driver.Destroy(t.Context(), driver.Ref{ID: 103, Stack: "home"}, driver.Purge); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Driver.Create(t.Context(), driver.Spec{ID: 103, Mark: other}); err != nil {
			t.Fatal(err)
		}
		if got := r.do(s, undo(103)); got != (saga.ContainerUndone{Run: "home-1", ID: 103}) {
			t.Errorf("%s: told was %+v", name, got)
		}
		if c, err := r.inspect(103); err != nil || c.Mark != other {
			t.Errorf("%s: container is %+v, %v, want it untouched", name, c, err)
		}
	}
}

func TestRemoval(t *testing.T) {
	for _, purge := range []bool{false, true} {
		r := newRig(t)
		s := r.full("home-1")
		r.give(101)
		s = r.apply(s, saga.Requested{Request: saga.Request{Run: "home-2", Sequence: 2, Want: events.Absent, Purge: purge}})
		if purge {
			s = r.apply(s, r.do(s, withdraw))
		}
		s = r.apply(s, r.do(s, saga.Action{Kind: saga.List}))
		if len(s.Containers) != 2 {
			t.Fatalf("purge %t: %d containers are listed, want the two that are ours", purge, len(s.Containers))
		}
		for _, id := range []int{102, 103} {
			s = r.apply(s, r.do(s, saga.Action{Kind: saga.Remove, Container: id}))
		}
		if s.Phase != saga.Absent || len(s.Undone) != 2 {
			t.Errorf("purge %t: phase %s, removed %v", purge, s.Phase, s.Undone)
		}
		_, err := r.inspect(103)
		if gone := errors.Is(err, driver.ErrNotFound); gone != purge {
			t.Errorf("purge %t: container 103 is gone: %t", purge, gone)
		}
	}
}

// give makes a container somebody else's.
func (r *rig) give(id int) {
	r.t.Helper()
	if err := r.Driver.Destroy(r.t.Context(), driver.Ref{ID: id, Stack: "home"}, driver.Purge); err != nil {
		r.t.Fatal(err)
	}
	if _, _, err := r.Driver.Create(r.t.Context(), driver.Spec{ID: id, Mark: driver.Mark{Stack: "lab", Run: "lab-1", Role: events.RoleGateway}}); err != nil {
		r.t.Fatal(err)
	}
}
