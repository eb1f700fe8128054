package saga

import "github.com/phoenix-platform/phoenix/pkg/events"

// Step is one thing that a run waits for. People read it in stack.failed.
type Step string

// The steps of a run, besides one per container (see [ContainerStep]).
const (
	StepConfiguration Step = "configuration"
	StepServices      Step = "services"
	StepCA            Step = "ca"
	StepProxy         Step = "proxy"
	StepGateway       Step = "gateway"
	StepFrontDoor     Step = "front door"
	StepUndo          Step = "compensation"
	StepRemove        Step = "removal"
)

// ContainerStep is the step that ends when the container of that role is ready.
func ContainerStep(role events.Role) Step { return Step("container " + string(role)) }

// planned is a step and what must be done before it begins.
type planned struct {
	step  Step
	after []Step
	// silence explains a step that ran out of time without any other trouble.
	silence string
}

// plan lists the steps that make a stack, in the order in which people expect
// to read them.
func plan() []planned {
	made := func(role events.Role) planned {
		return planned{ContainerStep(role), []Step{StepConfiguration}, "the container did not get ready"}
	}
	return []planned{
		{StepConfiguration, nil, "the stack's configuration could not be read"},
		made(events.RoleCA),
		made(events.RoleProxy),
		made(events.RoleGateway),
		{StepServices, []Step{StepConfiguration}, "the configured services could not be registered"},
		{StepCA, []Step{ContainerStep(events.RoleCA)}, "ca.ready did not come"},
		{StepProxy, []Step{ContainerStep(events.RoleProxy), StepCA}, "proxy.ready did not come"},
		{StepGateway, []Step{ContainerStep(events.RoleGateway), StepProxy}, "gateway.ready did not come"},
		{StepFrontDoor, []Step{StepGateway, StepServices}, "the front door did not answer"},
	}
}

// active lists the steps that a run is waiting for now, in the plan's order.
func (s State) active() []planned {
	switch s.Phase {
	case Making:
		return s.activePlanned()
	case Undoing:
		return []planned{{StepUndo, nil, "what the run had made could not be removed"}}
	case Removing:
		return []planned{{StepRemove, nil, "the stack's containers could not be removed"}}
	default:
		return nil
	}
}

func (s State) activePlanned() []planned {
	var out []planned
	for _, p := range plan() {
		if !s.Steps[p.step].Done && s.allDone(p.after) {
			out = append(out, p)
		}
	}
	return out
}

func (s State) allDone(steps []Step) bool {
	for _, step := range steps {
		if !s.Steps[step].Done {
			return false
		}
	}
	return true
}

// isActive says whether the run is waiting for step now.
func (s State) isActive(step Step) bool {
	for _, p := range s.active() {
		if p.step == step {
			return true
		}
	}
	return false
}
