package saga

import (
	"fmt"
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Requested is a stack.requested that was heard. Heard again, or after a newer
// one, it changes nothing.
type Requested struct{ Request }

func (e Requested) apply(s *State, r Rules, now time.Time) {
	if e.Sequence <= s.Sequence || (s.Waiting != nil && e.Sequence <= s.Waiting.Sequence) {
		return
	}
	req := e.Request
	if req.Want == "" {
		req.Want = events.Present
	}
	switch s.Phase {
	case Undoing, Removing:
		s.wait(req)
	case Making:
		if req.Want == events.Present {
			s.join(req, r, now)
			return
		}
		s.sayStackFailed(s.Request, s.superseded(req), nil)
		s.begin(req, r, now)
	default:
		s.begin(req, r, now)
	}
}

// wait keeps the request until what is under way has ended.
func (s *State) wait(req Request) {
	if old := s.Waiting; old != nil {
		if old.Want == req.Want {
			req.Joined = old.Runs()
		} else {
			s.sayStackFailed(*old, s.superseded(req), nil)
		}
	}
	s.Waiting = &req
}

// superseded is why a run ended that a newer request contradicts.
func (s *State) superseded(req Request) Failure {
	f := Failure{Reason: fmt.Sprintf("superseded by run %s, which wants the stack %s", req.Run, req.Want)}
	if active := s.active(); len(active) > 0 {
		f.Step = active[0].step
	}
	return f
}

// begin starts a run.
func (s *State) begin(req Request, r Rules, now time.Time) {
	s.Request = req
	s.Waiting = nil
	s.Steps = map[Step]Progress{}
	s.Limits = Limits{}
	s.Began, s.Deadline = now, now.Add(r.limits(s).Run)
	s.Changed, s.Failure, s.Undone, s.Withdrawn, s.Listed, s.Trouble = 0, nil, nil, false, false, ""
	if req.Want == events.Absent {
		s.enter(Removing, now)
		return
	}
	s.enter(Making, now)
	for i := range s.Containers {
		c := &s.Containers[i]
		c.Former, c.Before, c.Changed, c.Repairs, c.Trouble = "", "", false, 0, ""
	}
}

// join lets a newer request with the same wish take the run over. It begins
// again from the configuration, which may have changed; what was there before
// the first of the runs stays known, and who joined ends with it.
func (s *State) join(req Request, r Rules, now time.Time) {
	req.Joined = s.Runs()
	before, changed := slices.Clone(s.Containers), s.Changed
	s.begin(req, r, now)
	s.Changed = changed
	for i, c := range before {
		s.Containers[i].Former, s.Containers[i].Before, s.Containers[i].Changed = c.Former, c.Before, c.Changed
	}
}

// proceed begins the request that waited for the end of the last run.
func (s *State) proceed(r Rules, now time.Time) {
	if s.Waiting != nil {
		s.begin(*s.Waiting, r, now)
	}
}
