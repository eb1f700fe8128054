package act

import (
	"errors"
	"slices"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// services wants services of that name.
func (r *rig) services(names ...string) {
	r.want(func(s *config.Stack) {
		for _, name := range names {
			s.Services = append(s.Services, config.Service{Name: name, URL: "http://127.17.1.200:10001"})
		}
	})
}

var (
	register = saga.Action{Kind: saga.Register}
	withdraw = saga.Action{Kind: saga.Withdraw}
)

func TestRegisterSaysWhatIsNew(t *testing.T) {
	r := newRig(t)
	r.services("a", "b")
	if got := r.do(r.begin("home-1"), register); got != (saga.ServicesRegistered{Run: "home-1", Changed: 2}) {
		t.Errorf("told was %+v", got)
	}
	if got := r.do(r.begin("home-2"), register); got != (saga.ServicesRegistered{Run: "home-2"}) {
		t.Errorf("told was %+v the second time", got)
	}
	r.services("a", "c")
	r.do(r.begin("home-3"), register)
	lines := r.bus.lines()
	slices.Sort(lines[:2])
	equal(t, "said", lines, []string{"service.registered a", "service.registered b", "service.removed b", "service.registered c"})
}

func TestRegisterBringsBackWhatTheOperatorRemoved(t *testing.T) {
	r := newRig(t)
	r.services("a", "b")
	r.do(r.begin("home-1"), register)
	if err := r.registry.Delete(t.Context(), "service.a"); err != nil {
		t.Fatal(err)
	}
	if got := r.do(r.begin("home-2"), register); got != (saga.ServicesRegistered{Run: "home-2", Changed: 1}) {
		t.Errorf("told was %+v", got)
	}
	if _, err := r.registry.Put(t.Context(), "service.a", []byte("{")); err != nil {
		t.Fatal(err)
	}
	_, err := r.Do(t.Context(), r.begin("home-3"), register)
	wantError(t, err, false, "service.a")
}

func TestRegisterThatFailsIsSaidAgain(t *testing.T) {
	r := newRig(t)
	r.services("a", "b")
	s := r.begin("home-1")
	away := errors.New("no bus")
	r.bus.fail = func(p events.Payload) error {
		if serviceName(p) == "b" {
			return away
		}
		return nil
	}
	if _, err := r.Do(t.Context(), s, register); !errors.Is(err, away) {
		t.Fatalf("got %v, want %v", err, away)
	}
	r.bus.fail = nil
	r.do(s, register)
	if got := r.bus.lines(); !slices.Contains(got, "service.registered b") {
		t.Errorf("said %v, want b too", got)
	}
}

func TestWithdrawTakesBackWhatTheFailedRunRegistered(t *testing.T) {
	r := newRig(t)
	r.services("a")
	r.do(r.begin("home-1"), register)
	r.services("a", "b")
	s := r.begin("home-2")
	r.bus.fail = func(events.Payload) error { return errors.New("no bus") }
	_, err := r.Do(t.Context(), s, register) // b may or may not lie on the bus
	wantError(t, err, false, "no bus")
	r.bus.fail = nil

	s = r.apply(s, saga.Refused{Run: "home-2", Step: saga.StepServices, Reason: "no"})
	if got := r.do(s, withdraw); got != (saga.ServicesWithdrawn{Run: "home-2", Count: 1}) {
		t.Errorf("told was %+v", got)
	}
	if got := r.do(s, withdraw); got != (saga.ServicesWithdrawn{Run: "home-2"}) {
		t.Errorf("told was %+v the second time", got)
	}
	equal(t, "said", r.bus.lines(), []string{"service.registered a", "service.removed b"})
}

func TestWithdrawTakesEverythingWhenTheStackGoes(t *testing.T) {
	r := newRig(t)
	r.services("a")
	s := r.begin("home-1")
	r.do(s, register)
	s = r.apply(s, saga.Requested{Request: saga.Request{Run: "home-2", Sequence: 2, Want: events.Absent, Purge: true}})
	if got := r.do(s, withdraw); got != (saga.ServicesWithdrawn{Run: "home-2", Count: 1}) {
		t.Errorf("told was %+v", got)
	}
}

func TestSayPublishesTheOldestNotice(t *testing.T) {
	r := newRig(t)
	s := r.full("home-1")
	next := s.Next()[0]
	if got := r.do(s, next); got != (saga.Said{Notice: next.Notice}) {
		t.Errorf("told was %+v", got)
	}
	equal(t, "said", r.bus.lines(), []string{"container.requested"})
	s.Outbox = nil
	r.do(s, next)
	r.bus.fail = func(events.Payload) error { return errors.New("no bus") }
	_, err := r.Do(t.Context(), r.full("home-2"), next)
	wantError(t, err, false, "no bus")
}
