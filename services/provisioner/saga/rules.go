package saga

import (
	"cmp"
	"time"
)

// The limits of a run until its configuration was read.
const (
	DefaultRunLimit  = 5 * time.Minute
	DefaultStepLimit = 2 * time.Minute
)

// Limits say how long things may take.
type Limits struct {
	Run  time.Duration `json:"run,omitempty"`  // a whole run
	Step time.Duration `json:"step,omitempty"` // one step of it
}

// Rules decide. The zero value is ready to use.
type Rules struct {
	// Limits hold until the configuration of a run gives others; zero means the
	// defaults.
	Limits Limits
}

// limits returns the limits of the present run.
func (r Rules) limits(s *State) Limits {
	l := s.Limits
	l.Run = cmp.Or(l.Run, r.Limits.Run, DefaultRunLimit)
	l.Step = cmp.Or(l.Step, r.Limits.Step, DefaultStepLimit)
	return l
}

// Event is something that happened: a message on the bus, the result of an
// action, or the passing of time. An event of another run than the present one
// changes nothing.
type Event interface {
	apply(s *State, r Rules, now time.Time)
}

// Apply returns the state after e. It leaves s as it was.
func (r Rules) Apply(s State, e Event, now time.Time) State {
	s = s.clone()
	e.apply(&s, r, now)
	s.finish(r, now)
	s.arm(r, now)
	return s
}

// finish ends compensation or removal once nothing of it is left to do.
func (s *State) finish(r Rules, now time.Time) {
	if _, busy := s.leaving(); busy {
		return
	}
	switch {
	case s.Phase == Undoing && s.Withdrawn:
		s.endUndoing(r, now)
	case s.Phase == Removing && s.Listed && (s.Withdrawn || !s.Purge):
		s.removed(r, now)
	}
}

// arm gives each step that has just begun its deadline.
func (s *State) arm(r Rules, now time.Time) {
	for _, p := range s.active() {
		if s.Steps[p.step].Deadline.IsZero() {
			s.progress(p.step, func(p *Progress) { p.Deadline = now.Add(r.limits(s).Step) })
		}
	}
}

// enter begins a phase.
func (s *State) enter(p Phase, now time.Time) {
	if s.Phase != p {
		s.Since = now
	}
	s.Phase = p
}

// Wake returns when time itself changes the state, unless something else does
// before: the earliest deadline. Zero means never.
func (s State) Wake() time.Time {
	active := s.active()
	if len(active) == 0 {
		return time.Time{}
	}
	wake := s.Deadline
	for _, p := range active {
		if d := s.Steps[p.step].Deadline; wake.IsZero() || d.Before(wake) {
			wake = d
		}
	}
	return wake
}

// Tick lets time pass.
type Tick struct{}

func (Tick) apply(s *State, r Rules, now time.Time) {
	late, ok := s.late(now)
	if !ok {
		return
	}
	reason := s.Steps[late.step].Trouble
	if reason == "" {
		reason = late.silence
	}
	f := Failure{Step: late.step, Reason: "not done in time: " + reason}
	switch s.Phase {
	case Making:
		s.fail(f, now)
	case Undoing:
		s.undoFailed(f, r, now)
	case Removing:
		s.removeFailed(f, r, now)
	}
}

// late returns the step whose deadline has passed; when it is the whole run's,
// the first that is being waited for.
func (s State) late(now time.Time) (planned, bool) {
	active := s.active()
	for _, p := range active {
		if !now.Before(s.Steps[p.step].Deadline) {
			return p, true
		}
	}
	if len(active) > 0 && s.Phase == Making && !now.Before(s.Deadline) {
		return active[0], true
	}
	return planned{}, false
}

// Trouble tells what went wrong in an action that will be tried again.
type Trouble struct {
	Run    string
	Step   Step
	Reason string
}

func (e Trouble) apply(s *State, _ Rules, _ time.Time) {
	switch {
	case e.Run != s.Run:
	case s.Phase == Settled:
		s.repairTrouble(e.Step, e.Reason)
	case s.isActive(e.Step):
		s.progress(e.Step, func(p *Progress) { p.Trouble = e.Reason })
	}
}

// Refused tells that a step can never be done, however often it is tried. It
// ends the making of a stack; once that is made, it is trouble like any other.
type Refused struct {
	Run    string
	Step   Step
	Reason string
}

func (e Refused) apply(s *State, r Rules, now time.Time) {
	switch {
	case e.Run != s.Run:
	case s.Phase == Making && s.isActive(e.Step):
		s.fail(Failure{Step: e.Step, Reason: e.Reason}, now)
	default:
		Trouble(e).apply(s, r, now)
	}
}
