package saga

import (
	"fmt"
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Notice is something to be said on the bus. Exactly one payload is set.
type Notice struct {
	// Key makes the message's id, so that saying it twice stores it once.
	Key string `json:"key"`

	StackReady         *events.StackReady         `json:"stack_ready,omitempty"`
	StackFailed        *events.StackFailed        `json:"stack_failed,omitempty"`
	StackRemoved       *events.StackRemoved       `json:"stack_removed,omitempty"`
	ContainerRequested *events.ContainerRequested `json:"container_requested,omitempty"`
	ContainerReady     *events.ContainerReady     `json:"container_ready,omitempty"`
	ContainerFailed    *events.ContainerFailed    `json:"container_failed,omitempty"`
	ContainerRemoved   *events.ContainerRemoved   `json:"container_removed,omitempty"`
}

// Payload returns what is to be said.
func (n Notice) Payload() events.Payload {
	switch {
	case n.StackReady != nil:
		return *n.StackReady
	case n.StackFailed != nil:
		return *n.StackFailed
	case n.StackRemoved != nil:
		return *n.StackRemoved
	case n.ContainerRequested != nil:
		return *n.ContainerRequested
	case n.ContainerReady != nil:
		return *n.ContainerReady
	case n.ContainerFailed != nil:
		return *n.ContainerFailed
	default:
		return *n.ContainerRemoved
	}
}

// id tells notices apart: the key is unique per subject alone.
func (n Notice) id() string { return n.Payload().Subject() + "/" + n.Key }

// say adds a notice to the outbox unless it lies there already.
func (s *State) say(n Notice) {
	for _, o := range s.Outbox {
		if o.id() == n.id() {
			return
		}
	}
	s.Outbox = append(s.Outbox, n)
}

func (s *State) sayRequested(c Container) {
	s.say(Notice{Key: containerKey(s.Run, c), ContainerRequested: &events.ContainerRequested{
		Stack: s.Stack, Run: s.Run, ID: c.ID, Role: c.Role, Name: c.Name, Driver: c.Driver,
	}})
}

func (s *State) sayReady(c Container) {
	s.say(Notice{Key: containerKey(s.Run, c), ContainerReady: &events.ContainerReady{
		Stack: s.Stack, Run: s.Run, ID: c.ID, Role: c.Role, Name: c.Name,
		Address: c.Address, Driver: c.Driver, Ports: c.Ports, Curve: c.Curve,
	}})
}

func (s *State) sayFailed(c Container, f Failure) {
	s.say(Notice{Key: containerKey(s.Run, c), ContainerFailed: &events.ContainerFailed{
		Stack: s.Stack, Run: s.Run, ID: c.ID, Role: c.Role, Step: c.Stage.doing(), Reason: f.Reason,
	}})
}

func (s *State) sayRemoved(c Container) {
	s.say(Notice{Key: containerKey(s.Run, c), ContainerRemoved: &events.ContainerRemoved{
		Stack: s.Stack, Run: s.Run, ID: c.ID, Role: c.Role,
	}})
}

// containerKey is stable per run, container and repair.
func containerKey(run string, c Container) string {
	if c.Repairs > 0 {
		return fmt.Sprintf("%s/%d/%d", run, c.ID, c.Repairs)
	}
	return fmt.Sprintf("%s/%d", run, c.ID)
}

// sayStackFailed ends the runs of a request that was not fulfilled.
func (s *State) sayStackFailed(r Request, f Failure, undone []string) {
	for _, run := range r.Runs() {
		s.say(Notice{Key: run, StackFailed: &events.StackFailed{
			Stack: s.Stack, Run: run, Step: string(f.Step), Reason: f.Reason, Undone: undone,
		}})
	}
}

func (s *State) sayStackReady() {
	for _, run := range s.Runs() {
		s.say(Notice{Key: run, StackReady: &events.StackReady{
			Stack: s.Stack, Run: run, Address: s.Address, Changed: s.changed(),
		}})
	}
}

func (s *State) sayStackRemoved() {
	for _, run := range s.Runs() {
		s.say(Notice{Key: run, StackRemoved: &events.StackRemoved{Stack: s.Stack, Run: run, Removed: s.Undone}})
	}
}

// changed counts what the run created or changed.
func (s *State) changed() int {
	n := s.Changed
	for _, c := range s.Containers {
		if c.Changed || c.Before != Running {
			n++
		}
	}
	return n
}

func (e Said) apply(s *State, _ Rules, _ time.Time) {
	s.Outbox = slices.DeleteFunc(s.Outbox, func(n Notice) bool { return n.id() == e.Notice })
}
