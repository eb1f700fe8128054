package saga

import (
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Public returns what others may read of the stack.
func (s State) Public() events.StackState {
	out := events.StackState{
		Stack: s.Stack, State: s.publicState(), Want: s.Want, Run: s.Run,
		Address: s.Address, Domain: s.Domain, Since: s.Since,
	}
	switch {
	case s.Failure != nil:
		out.Step, out.Reason = string(s.Failure.Step), s.Failure.Reason
	case s.Phase == Settled:
		out.Reason = s.degraded()
	}
	if active := s.active(); len(active) > 0 {
		p := s.Steps[active[0].step]
		out.Step, out.Deadline = string(active[0].step), p.Deadline
		if s.Failure == nil {
			out.Reason = p.Trouble
		}
	}
	return out
}

func (s State) publicState() events.State {
	switch s.Phase {
	case Making:
		return events.StateStarting
	case Settled:
		if s.degraded() != "" {
			return events.StateDegraded
		}
		return events.StateReady
	case Undoing, Removing:
		return events.StateStopping
	case Failed:
		return events.StateFailed
	default:
		return events.StateAbsent
	}
}

// degraded tells what is wrong with a settled stack, or nothing.
func (s State) degraded() string {
	for _, c := range s.Containers {
		if c.Stage != Ready {
			return fmt.Sprintf("container %d (%s) is being repaired: %s", c.ID, c.Role, c.Trouble)
		}
	}
	return s.Trouble
}

// PublicContainers returns what others may read of the containers.
func (s State) PublicContainers() []events.ContainerState {
	out := make([]events.ContainerState, 0, len(s.Containers))
	for _, c := range s.Containers {
		out = append(out, events.ContainerState{
			ID: c.ID, Role: c.Role, Name: c.Name, Stack: s.Stack, Run: c.Run,
			Address: c.Address, Ports: c.Ports, Driver: c.Driver,
			State: c.publicState(s), Curve: c.Curve, Reason: c.reason(s),
		})
	}
	return out
}

func (c Container) publicState(s State) events.State {
	switch {
	case c.Stage == Ready:
		return events.StateReady
	case c.Stage == Gone:
		return events.StateAbsent
	case c.Stage == Leaving:
		return events.StateStopping
	case c.Stage == Unknown:
		return events.StateFailed
	case s.Phase == Settled:
		return events.StateDegraded
	default:
		return events.StateStarting
	}
}

func (c Container) reason(s State) string {
	if c.Trouble != "" {
		return c.Trouble
	}
	if c.Stage == Ready || c.Stage == Gone {
		return ""
	}
	return s.Steps[ContainerStep(c.Role)].Trouble
}
