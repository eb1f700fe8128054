package saga

import "time"

// FrontDoorSeen tells how the front door of a settled stack answered: well,
// when Trouble is empty.
type FrontDoorSeen struct {
	Run     string
	Trouble string
}

func (e FrontDoorSeen) apply(s *State, _ Rules, _ time.Time) {
	if e.Run == s.Run && s.Phase == Settled {
		s.Trouble = e.Trouble
	}
}

// ContainerLost tells that a container of a settled stack does not do its work
// any more. It is made again, without end.
type ContainerLost struct {
	Run    string
	ID     int
	Reason string
}

func (e ContainerLost) apply(s *State, _ Rules, _ time.Time) {
	if e.Run != s.Run || s.Phase != Settled {
		return
	}
	s.update(e.ID, func(c *Container) {
		if c.Stage == Ready {
			c.Stage, c.Trouble, c.Changed = Accepted, e.Reason, false
			c.Repairs++
		}
	})
}

// repaired ends a repair. The others are told only when there was something to
// mend: a service that was merely restarted remembers all it needs.
func (s *State) repaired(c Container) {
	if c.Changed {
		s.sayReady(c)
	}
	s.update(c.ID, func(c *Container) { c.Changed = false })
}

// repairTrouble records why a container could not be brought back yet.
func (s *State) repairTrouble(step Step, reason string) {
	for i := range s.Containers {
		if c := &s.Containers[i]; ContainerStep(c.Role) == step && c.Stage != Ready {
			c.Trouble = reason
		}
	}
}
