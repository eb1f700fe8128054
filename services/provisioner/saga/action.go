package saga

import (
	"fmt"
)

// Kind is what an action does.
type Kind string

// The kinds of action. Each one names the events that its result becomes, next
// to [Trouble] and [Refused].
const (
	Say           Kind = "say"            // says the first of the outbox: [Said]
	Configure     Kind = "configure"      // reads the stack's configuration: [Configured]
	Look          Kind = "look"           // looks what is there of a container: [Found]
	Make          Kind = "make"           // makes a container: [ContainerMade]
	Probe         Kind = "probe"          // asks the service inside a container: [ContainerAlive]
	Register      Kind = "register"       // registers the configured services: [ServicesRegistered]
	See           Kind = "see"            // looks whether a step works: [StepSeen]
	Undo          Kind = "undo"           // takes down what the run made: [ContainerUndone]
	Withdraw      Kind = "withdraw"       // removes registered services: [ServicesWithdrawn]
	List          Kind = "list"           // lists the stack's containers: [ContainersListed]
	Remove        Kind = "remove"         // takes a container down: [ContainerRemoved]
	WatchDoor     Kind = "watch door"     // asks at the front door, again and again: [FrontDoorSeen]
	WatchInterior Kind = "watch interior" // asks a container, again and again: [ContainerLost]
)

// Action is something to be done now. Equal actions are the same one.
type Action struct {
	Kind      Kind
	Run       string
	Container int    // of Look, Make, Probe, Undo, Remove and WatchInterior
	Step      Step   // that it belongs to
	Notice    string // of Say
}

// Lane returns what the action must have for itself: of two actions in one
// lane, the second begins when the first has ended.
func (a Action) Lane() string {
	switch a.Kind {
	case Look, Make, Probe, Undo, Remove, WatchInterior:
		return fmt.Sprintf("container %d", a.Container)
	case Register, Withdraw:
		return "services"
	default:
		return string(a.Kind)
	}
}

// Recurring says that the action is done again and again for as long as the
// state asks for it.
func (a Action) Recurring() bool { return a.Kind == WatchDoor || a.Kind == WatchInterior }

// Said tells that a notice lies on the bus.
type Said struct{ Notice string }

// Next returns what is to be done now. All of it may be done side by side,
// within the bounds of [Action.Lane].
func (s State) Next() []Action {
	var out []Action
	if len(s.Outbox) > 0 {
		out = append(out, Action{Kind: Say, Run: s.Run, Notice: s.Outbox[0].id()})
	}
	switch s.Phase {
	case Making:
		out = append(out, s.nextMaking()...)
	case Settled:
		out = append(out, s.nextSettled()...)
	case Undoing:
		out = append(out, s.nextUndoing()...)
	case Removing:
		out = append(out, s.nextRemoving()...)
	}
	return out
}

func (s State) nextMaking() []Action {
	var out []Action
	for _, p := range s.active() {
		switch p.step {
		case StepConfiguration:
			return []Action{s.action(Configure, p.step)}
		case StepServices:
			out = append(out, s.action(Register, p.step))
		case StepCA, StepProxy, StepGateway, StepFrontDoor:
			if s.heard(p.step) {
				out = append(out, s.action(See, p.step))
			}
		}
	}
	for _, c := range s.Containers {
		if kind, ok := c.next(); ok {
			out = append(out, s.on(c, kind, ContainerStep(c.Role)))
		}
	}
	return out
}

// next returns what brings the container further.
func (c Container) next() (Kind, bool) {
	switch c.Stage {
	case Wanted:
		return Look, true
	case Accepted:
		return Make, true
	case Made:
		return Probe, true
	default:
		return "", false
	}
}

// heard says that the message which a step waits for is there.
func (s State) heard(step Step) bool {
	switch step {
	case StepCA:
		return s.CA.Sequence > 0
	case StepProxy:
		return s.Proxy.Sequence > 0
	case StepGateway:
		return s.Gateway.Sequence > 0
	default:
		return true
	}
}

func (s State) nextSettled() []Action {
	out := []Action{s.action(WatchDoor, StepFrontDoor)}
	for _, c := range s.Containers {
		kind, ok := c.next()
		if !ok {
			kind = WatchInterior
		}
		out = append(out, s.on(c, kind, ContainerStep(c.Role)))
	}
	return out
}

func (s State) nextUndoing() []Action {
	var out []Action
	if !s.Withdrawn {
		out = append(out, s.action(Withdraw, StepUndo))
	}
	if c, ok := s.leaving(); ok {
		out = append(out, s.on(c, Undo, StepUndo))
	}
	return out
}

func (s State) nextRemoving() []Action {
	if s.Purge && !s.Withdrawn {
		return []Action{s.action(Withdraw, StepRemove)}
	}
	if !s.Listed {
		return []Action{s.action(List, StepRemove)}
	}
	if c, ok := s.leaving(); ok {
		return []Action{s.on(c, Remove, StepRemove)}
	}
	return nil
}

func (s State) action(k Kind, step Step) Action { return Action{Kind: k, Run: s.Run, Step: step} }

func (s State) on(c Container, k Kind, step Step) Action {
	return Action{Kind: k, Run: s.Run, Step: step, Container: c.ID}
}
