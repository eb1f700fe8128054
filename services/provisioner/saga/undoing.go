package saga

import (
	"fmt"
	"time"
)

// fail ends the making of a stack; what the run made is to be undone.
func (s *State) fail(f Failure, now time.Time) {
	s.Failure = &f
	for _, c := range s.Containers {
		if ContainerStep(c.Role) == f.Step {
			s.sayFailed(c, f)
		}
	}
	s.enter(Undoing, now)
	for i := range s.Containers {
		s.Containers[i].Stage = s.Containers[i].afterFailure(f.Step)
	}
}

// afterFailure is the stage that a container goes to when its run fails. What
// was not there before is taken down, however far the run has come with it: an
// action whose result was not heard may have made it. What ran before goes on
// running, and what was not even looked at is left as it is.
func (c Container) afterFailure(step Step) Stage {
	switch {
	case c.Before == Missing || c.Before == Kept:
		return Leaving
	case c.Before == Running:
		return Ready
	case c.Stage != Wanted:
		return c.Stage
	case step == ContainerStep(c.Role):
		return Unknown
	case c.Former == Ready:
		return Ready
	default:
		return Gone
	}
}

// ContainerUndone tells that a container is as it was before the run.
type ContainerUndone struct {
	Run string
	ID  int
	// What says what was done, for people; empty when there was nothing to do.
	What string
}

func (e ContainerUndone) apply(s *State, _ Rules, _ time.Time) {
	c, ok := s.Container(e.ID)
	if e.Run != s.Run || s.Phase != Undoing || !ok || c.Stage != Leaving {
		return
	}
	s.left(c, c.Before == Missing, e.What)
}

// left records that a container was taken down.
func (s *State) left(c Container, purged bool, what string) {
	if what != "" {
		s.Undone = append(s.Undone, what)
		s.sayRemoved(c)
	}
	if purged {
		s.drop(c.ID)
		return
	}
	s.update(c.ID, func(c *Container) { c.Stage = Gone })
}

// ServicesWithdrawn tells that the services which the run had registered are
// removed again; or all of them, when the stack's data goes.
type ServicesWithdrawn struct {
	Run   string
	Count int
}

func (e ServicesWithdrawn) apply(s *State, _ Rules, _ time.Time) {
	if e.Run != s.Run || (s.Phase != Undoing && s.Phase != Removing) || s.Withdrawn {
		return
	}
	s.Withdrawn = true
	if e.Count > 0 {
		s.Undone = append(s.Undone, fmt.Sprintf("%d registered services", e.Count))
	}
}

// endUndoing says that the run failed, once all is undone.
func (s *State) endUndoing(r Rules, now time.Time) {
	s.enter(Failed, now)
	s.sayStackFailed(s.Request, *s.Failure, s.Undone)
	s.proceed(r, now)
}

// undoFailed says that the run failed and that it left something behind.
func (s *State) undoFailed(f Failure, r Rules, now time.Time) {
	s.Failure = &Failure{Step: s.Failure.Step, Reason: fmt.Sprintf("%s; %s: %s", s.Failure.Reason, f.Step, f.Reason)}
	s.endUndoing(r, now)
}
