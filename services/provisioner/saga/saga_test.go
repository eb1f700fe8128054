package saga

import (
	"slices"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func wishes() []Wish {
	return []Wish{
		{ID: 103, Role: events.RoleCA, Name: "ca"},
		{ID: 102, Role: events.RoleProxy, Name: "proxy"},
		{ID: 101, Role: events.RoleGateway, Name: "gateway"},
	}
}

func request(seq uint64, want events.Want) Requested {
	return Requested{Request{Run: events.RunID("home", seq), Sequence: seq, Want: want}}
}

// after folds events into a new stack's state, all at one moment.
func after(t *testing.T, s State, list ...Event) State {
	t.Helper()
	for _, e := range list {
		s = Rules{}.Apply(s, e, start)
	}
	return s
}

// made lists the events of a run up to where all containers are ready.
func made(run string, before Presence) []Event {
	list := []Event{Configured{Run: run, Domain: "phoenix.localhost", Address: "https://gateway.phoenix.localhost:8443/", Driver: "local", Wishes: wishes()}}
	for _, w := range wishes() {
		list = append(list,
			Found{Run: run, ID: w.ID, Before: before},
			ContainerRequested{Run: run, ID: w.ID},
			ContainerMade{Run: run, ID: w.ID, Changed: before != Running, Seen: Seen{Run: run, Driver: "local", Address: "127.0.1.1", Curve: "X1"}},
			ContainerAlive{Run: run, ID: w.ID},
		)
	}
	return list
}

// ready lists the events that bring a run from there to its end.
func ready(run string) []Event {
	return []Event{
		ServicesRegistered{Run: run, Changed: 0},
		CASaid{Fact[events.CAReady]{Sequence: 10}}, StepSeen{Run: run, Step: StepCA},
		ProxySaid{Fact[events.ProxyReady]{Sequence: 11}}, StepSeen{Run: run, Step: StepProxy},
		GatewaySaid{Fact[events.GatewayReady]{Sequence: 12}}, StepSeen{Run: run, Step: StepGateway},
		StepSeen{Run: run, Step: StepFrontDoor},
	}
}

// settled is a stack that run home-1 made.
func settled(t *testing.T) State {
	t.Helper()
	list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing), ready("home-1"))
	return drain(after(t, New("home"), list...))
}

// drain empties the outbox.
func drain(s State) State {
	s.Outbox = nil
	return s
}

func kinds(actions []Action) []Kind {
	var out []Kind
	for _, a := range actions {
		out = append(out, a.Kind)
	}
	return out
}

// said lists what lies in the outbox, as subject and key.
func said(s State) []string {
	var out []string
	for _, n := range s.Outbox {
		out = append(out, n.id())
	}
	return out
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func TestRunFromNothingEndsReady(t *testing.T) {
	s := after(t, New("home"), request(1, events.Present))
	equal(t, "actions after the request", kinds(s.Next()), []Kind{Configure})

	s = after(t, s, Configured{Run: "home-1", Driver: "local", Wishes: wishes()})
	equal(t, "actions once configured", kinds(s.Next()), []Kind{Register, Look, Look, Look})

	s = settled(t)
	if got := s.Public().State; got != events.StateReady {
		t.Errorf("state is %s, want ready", got)
	}
	equal(t, "actions of a settled stack", kinds(s.Next()), []Kind{WatchDoor, WatchInterior, WatchInterior, WatchInterior})
	if !s.Wake().IsZero() {
		t.Errorf("a settled stack has a deadline: %s", s.Wake())
	}
}

func TestRunSaysWhatItDid(t *testing.T) {
	list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing), ready("home-1"))
	s := after(t, New("home"), list...)
	equal(t, "outbox", said(s), []string{
		"container.requested/home-1/103", "container.ready/home-1/103",
		"container.requested/home-1/102", "container.ready/home-1/102",
		"container.requested/home-1/101", "container.ready/home-1/101",
		"stack.ready/home-1",
	})
	last := s.Outbox[len(s.Outbox)-1].StackReady
	if last.Changed != 3 || last.Address != "https://gateway.phoenix.localhost:8443/" {
		t.Errorf("stack.ready says %+v, want 3 changes and the address", *last)
	}
}

func TestSecondRunChangesNothing(t *testing.T) {
	list := slices.Concat([]Event{request(2, events.Present)}, made("home-2", Running), ready("home-2"))
	s := after(t, settled(t), list...)
	last := s.Outbox[len(s.Outbox)-1].StackReady
	if last == nil || last.Run != "home-2" || last.Changed != 0 {
		t.Errorf("last notice is %+v, want stack.ready of home-2 with no change", s.Outbox[len(s.Outbox)-1])
	}
}

func TestRedeliveredRequestStartsNothing(t *testing.T) {
	s := settled(t)
	for _, seq := range []uint64{0, 1} {
		if got := after(t, s, request(seq, events.Present)); got.Phase != Settled || got.Run != "home-1" {
			t.Errorf("request %d again: phase %s, run %s", seq, got.Phase, got.Run)
		}
	}
}

func TestEachStepHasItsDeadline(t *testing.T) {
	beforeCA := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing), []Event{ServicesRegistered{Run: "home-1"}})
	tests := []struct {
		name   string
		events []Event
		step   Step
		reason string
	}{
		{"configuration", []Event{request(1, events.Present)}, StepConfiguration, "not done in time: the stack's configuration could not be read"},
		{"container", []Event{request(1, events.Present), Configured{Run: "home-1", Wishes: wishes()}}, ContainerStep(events.RoleCA), "not done in time: the container did not get ready"},
		{"with trouble", []Event{request(1, events.Present), Configured{Run: "home-1", Wishes: wishes()}, Trouble{Run: "home-1", Step: ContainerStep(events.RoleCA), Reason: "disk full"}}, ContainerStep(events.RoleCA), "not done in time: disk full"},
		{"ca", beforeCA, StepCA, "not done in time: ca.ready did not come"},
		{"front door", slices.Concat(beforeCA, ready("home-1")[1:7]), StepFrontDoor, "not done in time: the front door did not answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := after(t, New("home"), tt.events...)
			r := Rules{}
			if early := r.Apply(s, Tick{}, start.Add(DefaultStepLimit-1)); early.Phase != Making {
				t.Errorf("failed before the deadline, at step %s", early.Failure.Step)
			}
			if wake := start.Add(DefaultStepLimit); !s.Wake().Equal(wake) {
				t.Errorf("wakes at %s, want %s", s.Wake(), wake)
			}
			late := r.Apply(s, Tick{}, start.Add(DefaultStepLimit))
			if late.Phase != Undoing || late.Failure.Step != tt.step || late.Failure.Reason != tt.reason {
				t.Errorf("phase %s, failure %+v, want undoing, %s: %s", late.Phase, late.Failure, tt.step, tt.reason)
			}
		})
	}
}

func TestRunAsAWholeHasADeadline(t *testing.T) {
	r := Rules{Limits{Run: time.Minute, Step: time.Hour}}
	s := r.Apply(New("home"), request(1, events.Present), start)
	s = r.Apply(s, Tick{}, start.Add(time.Minute))
	if s.Phase != Undoing || s.Failure.Step != StepConfiguration {
		t.Errorf("phase %s, failure %+v, want undoing at the configuration", s.Phase, s.Failure)
	}
}

func TestConfigurationGivesTheLimits(t *testing.T) {
	s := after(t, New("home"), request(1, events.Present))
	s = after(t, s, Configured{Run: "home-1", Wishes: wishes(), Limits: Limits{Run: 3 * time.Minute, Step: 7 * time.Second}})
	if !s.Wake().Equal(start.Add(7*time.Second)) || !s.Deadline.Equal(start.Add(3*time.Minute)) {
		t.Errorf("wakes at %s, ends at %s", s.Wake(), s.Deadline)
	}
}

func TestCompensationUndoesWhatTheRunMade(t *testing.T) {
	tests := []struct {
		before  Presence
		actions []Kind
		stage   Stage
	}{
		{Missing, []Kind{Withdraw, Undo}, Leaving},
		{Kept, []Kind{Withdraw, Undo}, Leaving},
		{Running, []Kind{Withdraw}, Ready},
	}
	for _, tt := range tests {
		t.Run(string(tt.before), func(t *testing.T) {
			list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", tt.before))
			s := drain(after(t, New("home"), list...))
			s = after(t, s, Refused{Run: "home-1", Step: StepServices, Reason: "no"})
			equal(t, "actions", kinds(s.Next()), tt.actions)
			if c, _ := s.Container(103); c.Stage != tt.stage {
				t.Errorf("container is %s, want %s", c.Stage, tt.stage)
			}
		})
	}
}

func TestCompensationEndsTheRun(t *testing.T) {
	list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing))
	s := drain(after(t, New("home"), list...))
	s = after(t, s, Refused{Run: "home-1", Step: StepServices, Reason: "no"}, ServicesWithdrawn{Run: "home-1", Count: 2})
	for _, id := range []int{101, 102, 103} {
		last := s.Next()[len(s.Next())-1]
		if last.Kind != Undo || last.Container != id {
			t.Fatalf("next is %+v, want container %d undone", last, id)
		}
		s = after(t, s, ContainerUndone{Run: "home-1", ID: id, What: "container"})
	}
	if s.Phase != Failed || len(s.Containers) != 0 {
		t.Errorf("phase %s with %d containers, want failed with none", s.Phase, len(s.Containers))
	}
	failed := s.Outbox[len(s.Outbox)-1].StackFailed
	equal(t, "undone", failed.Undone, []string{"2 registered services", "container", "container", "container"})
	equal(t, "outbox", said(s), []string{"container.removed/home-1/101", "container.removed/home-1/102", "container.removed/home-1/103", "stack.failed/home-1"})
}

func TestCompensationThatFailsIsTold(t *testing.T) {
	list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing))
	s := after(t, New("home"), list...)
	s = after(t, s, Refused{Run: "home-1", Step: StepServices, Reason: "no"}, Trouble{Run: "home-1", Step: StepUndo, Reason: "busy"})
	s = Rules{}.Apply(s, Tick{}, start.Add(time.Hour))
	want := Failure{StepServices, "no; compensation: not done in time: busy"}
	if s.Phase != Failed || *s.Failure != want {
		t.Errorf("phase %s, failure %+v, want %+v", s.Phase, s.Failure, want)
	}
}

func TestFailureAtTheConfigurationLeavesARunningStackAlone(t *testing.T) {
	s := after(t, settled(t), request(2, events.Present), Refused{Run: "home-2", Step: StepConfiguration, Reason: "no"}, ServicesWithdrawn{Run: "home-2"})
	if s.Phase != Failed || s.Outbox[0].StackFailed == nil {
		t.Fatalf("phase %s, outbox %v, want failed", s.Phase, said(s))
	}
	for _, c := range s.PublicContainers() {
		if c.State != events.StateReady {
			t.Errorf("container %d is %s, want ready", c.ID, c.State)
		}
	}
}

func TestContainersThatWereNotLookedAtStayAsTheyWere(t *testing.T) {
	foreign := Refused{Run: "home-2", Step: ContainerStep(events.RoleProxy), Reason: "taken"}
	for _, tt := range []struct {
		name  string
		first State
		want  events.State
	}{
		{"running", settled(t), events.StateReady},
		{"nothing", New("home"), events.StateAbsent},
	} {
		s := after(t, tt.first, request(2, events.Present), Configured{Run: "home-2", Wishes: wishes()}, foreign, ServicesWithdrawn{Run: "home-2"})
		for _, c := range s.PublicContainers() {
			want := tt.want
			if c.Role == events.RoleProxy {
				want = events.StateFailed
			}
			if c.State != want {
				t.Errorf("%s: container %d is %s, want %s", tt.name, c.ID, c.State, want)
			}
		}
		if f := s.Outbox[0].ContainerFailed; f == nil || f.Step != "look" || f.ID != 102 {
			t.Errorf("%s: said first %v, want container.failed of 102 at look", tt.name, said(s))
		}
	}
}

func TestSameWishJoinsTheRun(t *testing.T) {
	list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing), []Event{request(2, events.Present)})
	s := after(t, New("home"), list...)
	equal(t, "actions", kinds(s.Next()), []Kind{Say, Configure})
	equal(t, "runs", s.Runs(), []string{"home-1", "home-2"})
	s = after(t, s, Configured{Run: "home-2", Wishes: wishes()})
	if c, _ := s.Container(103); c.Before != Missing || c.Stage != Asked {
		t.Errorf("container is %s and was %s before, want asked and missing", c.Stage, c.Before)
	}
	s = drain(s)
	for _, w := range wishes() {
		s = after(t, s, ContainerRequested{Run: "home-2", ID: w.ID}, ContainerMade{Run: "home-2", ID: w.ID}, ContainerAlive{Run: "home-2", ID: w.ID})
	}
	s = after(t, drain(s), ready("home-2")...)
	equal(t, "outbox", said(s), []string{"stack.ready/home-1", "stack.ready/home-2"})
	if got := s.Outbox[0].StackReady.Changed; got != 3 {
		t.Errorf("%d changes, want 3", got)
	}
}

func TestJoinedRunsFailTogether(t *testing.T) {
	s := after(t, New("home"), request(1, events.Present), request(2, events.Present))
	s = after(t, s, Refused{Run: "home-2", Step: StepConfiguration, Reason: "no"}, ServicesWithdrawn{Run: "home-2"})
	equal(t, "outbox", said(s), []string{"stack.failed/home-1", "stack.failed/home-2"})
}

func TestAbsentTakesARunOver(t *testing.T) {
	list := slices.Concat([]Event{request(1, events.Present)}, made("home-1", Missing))
	s := drain(after(t, New("home"), list...))
	s = after(t, s, request(2, events.Absent))
	equal(t, "outbox", said(s), []string{"stack.failed/home-1"})
	if f := s.Outbox[0].StackFailed; f.Reason != "superseded by run home-2, which wants the stack absent" || f.Step != "services" {
		t.Errorf("home-1 failed at %q: %s", f.Step, f.Reason)
	}
	equal(t, "actions", kinds(drain(s).Next()), []Kind{List})
}

func TestRemoval(t *testing.T) {
	for _, purge := range []bool{false, true} {
		req := request(2, events.Absent)
		req.Purge = purge
		s := after(t, settled(t), req)
		if purge {
			equal(t, "first action of a purge", kinds(s.Next()), []Kind{Withdraw})
			s = after(t, s, ServicesWithdrawn{Run: "home-2"})
		}
		equal(t, "actions", kinds(s.Next()), []Kind{List})
		s = after(t, s, ContainersListed{Run: "home-2", Containers: s.Containers})
		for _, id := range []int{101, 102, 103} {
			if next := s.Next(); next[len(next)-1].Container != id || next[len(next)-1].Kind != Remove {
				t.Fatalf("purge %t: next is %+v, want container %d removed", purge, next, id)
			}
			s = after(t, s, ContainerRemoved{Run: "home-2", ID: id, What: "container"})
		}
		if s.Public().State != events.StateAbsent || s.CA.Sequence != 0 {
			t.Errorf("purge %t: state %s, ca.ready %d is remembered", purge, s.Public().State, s.CA.Sequence)
		}
		if left := len(s.Containers); (left == 0) != purge {
			t.Errorf("purge %t: %d containers are known still", purge, left)
		}
		equal(t, "outbox", said(s), []string{"container.removed/home-2/101", "container.removed/home-2/102", "container.removed/home-2/103", "stack.removed/home-2"})
	}
}

func TestRequestWaitsForTheEndOfRemoval(t *testing.T) {
	s := after(t, settled(t), request(2, events.Absent), request(3, events.Absent), request(4, events.Present), request(5, events.Present))
	equal(t, "superseded", said(s), []string{"stack.failed/home-3"})
	s = after(t, drain(s), ContainersListed{Run: "home-2"})
	equal(t, "outbox", said(s), []string{"stack.removed/home-2"})
	if s.Phase != Making || s.Run != "home-5" || !slices.Equal(s.Joined, []string{"home-4"}) {
		t.Errorf("phase %s, run %s joined by %v, want home-5 making, joined by home-4", s.Phase, s.Run, s.Joined)
	}
}

func TestRemovalThatFailsIsTold(t *testing.T) {
	s := after(t, settled(t), request(2, events.Absent), Trouble{Run: "home-2", Step: StepRemove, Reason: "busy"})
	s = Rules{}.Apply(s, Tick{}, start.Add(time.Hour))
	if s.Phase != Failed || s.Failure.Reason != "not done in time: busy" {
		t.Errorf("phase %s, failure %+v", s.Phase, s.Failure)
	}
}

func TestEventsOfAnotherRunChangeNothing(t *testing.T) {
	s := after(t, settled(t), request(2, events.Present))
	before := s
	s = after(t, s, slices.Concat(made("home-1", Missing), []Event{
		StepSeen{Run: "home-1", Step: StepConfiguration}, Refused{Run: "home-1", Step: StepConfiguration},
		ContainerLost{Run: "home-1", ID: 103}, FrontDoorSeen{Run: "home-1", Trouble: "x"},
		ContainerUndone{Run: "home-1", ID: 103}, ContainerRemoved{Run: "home-1", ID: 103},
		ContainersListed{Run: "home-1"}, ServicesWithdrawn{Run: "home-1"}, ServicesRegistered{Run: "home-1"},
	})...)
	equal(t, "actions", s.Next(), before.Next())
}

func TestOlderFactsAreIgnored(t *testing.T) {
	newest := CASaid{Fact[events.CAReady]{Sequence: 20, Data: events.CAReady{URL: "new"}}}
	s := after(t, settled(t), newest, CASaid{Fact[events.CAReady]{Sequence: 19, Data: events.CAReady{URL: "old"}}})
	if s.CA.Data.URL != "new" {
		t.Errorf("URL is %q, want that of the newer message", s.CA.Data.URL)
	}
}

func TestWhatServicesSayOfAnAbsentStackIsIgnored(t *testing.T) {
	s := after(t, New("home"), ready("home-1")...)
	if s.CA.Sequence+s.Proxy.Sequence+s.Gateway.Sequence != 0 {
		t.Error("facts about an absent stack were kept")
	}
}

func TestLostContainerIsRepaired(t *testing.T) {
	s := after(t, settled(t), ContainerLost{Run: "home-1", ID: 102, Reason: "connection refused"})
	if p := s.Public(); p.State != events.StateDegraded || p.Reason != "container 102 (proxy) is being repaired: connection refused" {
		t.Errorf("state %s: %s", p.State, p.Reason)
	}
	equal(t, "actions", kinds(s.Next()), []Kind{WatchDoor, WatchInterior, Make, WatchInterior})

	s = after(t, s, Refused{Run: "home-1", Step: ContainerStep(events.RoleProxy), Reason: "foreign"})
	if s.Phase != Settled || s.PublicContainers()[1].Reason != "foreign" {
		t.Errorf("phase %s, reason %q, want settled and foreign", s.Phase, s.PublicContainers()[1].Reason)
	}
	s = after(t, s, ContainerMade{Run: "home-1", ID: 102, Changed: true, Seen: Seen{Curve: "X2"}}, ContainerAlive{Run: "home-1", ID: 102})
	equal(t, "outbox", said(s), []string{"container.ready/home-1/102/1"})
	if s.Public().State != events.StateReady {
		t.Errorf("state is %s, want ready", s.Public().State)
	}
}

func TestRestartedServiceIsNotAnnounced(t *testing.T) {
	s := after(t, settled(t), ContainerLost{Run: "home-1", ID: 102}, ContainerMade{Run: "home-1", ID: 102}, ContainerAlive{Run: "home-1", ID: 102})
	equal(t, "outbox", said(s), nil)
}

func TestClosedFrontDoorDegradesTheStack(t *testing.T) {
	s := after(t, settled(t), FrontDoorSeen{Run: "home-1", Trouble: "502"})
	if p := s.Public(); p.State != events.StateDegraded || p.Reason != "502" {
		t.Errorf("state %s: %s", p.State, p.Reason)
	}
	s = after(t, s, FrontDoorSeen{Run: "home-1"})
	if s.Public().State != events.StateReady {
		t.Errorf("state is %s, want ready", s.Public().State)
	}
}

func TestApplyLeavesItsArgumentAlone(t *testing.T) {
	s := after(t, New("home"), request(1, events.Present), Configured{Run: "home-1", Wishes: wishes()})
	after(t, s, Found{Run: "home-1", ID: 103, Before: Missing}, ServicesRegistered{Run: "home-1"})
	if c, _ := s.Container(103); c.Stage != Wanted || len(s.Outbox) != 0 || s.Steps[StepServices].Done {
		t.Error("the former state was changed")
	}
}

func TestPublicStateNamesStepAndDeadline(t *testing.T) {
	s := after(t, New("home"), request(1, events.Present), Trouble{Run: "home-1", Step: StepConfiguration, Reason: "slow"})
	p := s.Public()
	if p.State != events.StateStarting || p.Step != "configuration" || p.Reason != "slow" || !p.Deadline.Equal(start.Add(DefaultStepLimit)) {
		t.Errorf("public state is %+v", p)
	}
}
