package saga

import (
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Configured tells what the run's configuration wants.
type Configured struct {
	Run     string
	Domain  string
	Address string // URL of the front door
	Driver  string
	Wishes  []Wish
	Limits  Limits
}

func (e Configured) apply(s *State, r Rules, _ time.Time) {
	if e.Run != s.Run || !s.isActive(StepConfiguration) {
		return
	}
	s.Domain, s.Address, s.Limits = e.Domain, e.Address, e.Limits
	s.Deadline = s.Began.Add(r.limits(s).Run)
	s.done(StepConfiguration)
	known := s.Containers
	s.Containers = nil
	for _, w := range e.Wishes {
		c := Container{Wish: w, Stage: Wanted}
		if i := slices.IndexFunc(known, func(k Container) bool { return k.ID == w.ID }); i >= 0 {
			c = known[i]
			c.Wish, c.Stage = w, Wanted
			if c.Former == "" {
				c.Former = known[i].Stage
			}
		}
		c.Driver = e.Driver
		s.Containers = append(s.Containers, c)
		if c.Before != "" {
			s.ask(c.ID)
		}
	}
}

// Found tells what was there of a container before the run.
type Found struct {
	Run    string
	ID     int
	Before Presence
}

func (e Found) apply(s *State, _ Rules, _ time.Time) {
	c, ok := s.Container(e.ID)
	if e.Run != s.Run || s.Phase != Making || !ok || c.Stage != Wanted {
		return
	}
	s.update(e.ID, func(c *Container) { c.Before = e.Before })
	s.ask(e.ID)
}

// ask wishes for a container on the bus.
func (s *State) ask(id int) {
	s.update(id, func(c *Container) {
		c.Stage = Asked
		s.sayRequested(*c)
	})
}

// ContainerRequested is a container.requested that was heard.
type ContainerRequested struct {
	Run string
	ID  int
}

func (e ContainerRequested) apply(s *State, _ Rules, _ time.Time) {
	if e.Run != s.Run || s.Phase != Making {
		return
	}
	s.update(e.ID, func(c *Container) {
		if c.Stage == Asked {
			c.Stage = Accepted
		}
	})
}

// ContainerMade tells that a container is there, filled and started.
type ContainerMade struct {
	Run     string // the run that made it so
	ID      int
	Changed bool
	Seen    Seen
}

func (e ContainerMade) apply(s *State, _ Rules, _ time.Time) {
	if e.Run != s.Run || !s.building() {
		return
	}
	s.update(e.ID, func(c *Container) {
		if c.Stage != Accepted {
			return
		}
		c.Stage, c.Seen = Made, e.Seen
		c.Changed = c.Changed || e.Changed
	})
}

// ContainerAlive tells that the service inside a container answers.
type ContainerAlive struct {
	Run string
	ID  int
}

func (e ContainerAlive) apply(s *State, _ Rules, _ time.Time) {
	c, ok := s.Container(e.ID)
	if e.Run != s.Run || !ok || c.Stage != Made || !s.building() {
		return
	}
	s.update(e.ID, func(c *Container) { c.Stage, c.Trouble = Ready, "" })
	if s.Phase == Settled {
		s.repaired(c)
		return
	}
	s.sayReady(c)
	s.done(ContainerStep(c.Role))
}

// building says that containers are made in this phase.
func (s *State) building() bool { return s.Phase == Making || s.Phase == Settled }

// ServicesRegistered tells that the configured services were registered, and
// how many registrations and removals that took.
type ServicesRegistered struct {
	Run     string
	Changed int
}

func (e ServicesRegistered) apply(s *State, _ Rules, _ time.Time) {
	if e.Run == s.Run && s.isActive(StepServices) {
		s.Changed += e.Changed
		s.done(StepServices)
	}
}

// CASaid is a ca.ready that was heard.
type CASaid struct{ Fact[events.CAReady] }

func (e CASaid) apply(s *State, _ Rules, _ time.Time) {
	if s.listening() {
		s.CA = s.CA.newer(e.Fact)
	}
}

// ProxySaid is a proxy.ready that was heard.
type ProxySaid struct{ Fact[events.ProxyReady] }

func (e ProxySaid) apply(s *State, _ Rules, _ time.Time) {
	if s.listening() {
		s.Proxy = s.Proxy.newer(e.Fact)
	}
}

// GatewaySaid is a gateway.ready that was heard.
type GatewaySaid struct{ Fact[events.GatewayReady] }

func (e GatewaySaid) apply(s *State, _ Rules, _ time.Time) {
	if s.listening() {
		s.Gateway = s.Gateway.newer(e.Fact)
	}
}

// listening says that what services say is of any interest. What they said of a
// stack that is gone, or is being taken down, is not.
func (s *State) listening() bool { return s.Phase != Absent && s.Phase != Removing }

// StepSeen tells that a step was seen to work, as a client would see it.
type StepSeen struct {
	Run  string
	Step Step
}

func (e StepSeen) apply(s *State, _ Rules, now time.Time) {
	if e.Run != s.Run || !s.isActive(e.Step) {
		return
	}
	s.done(e.Step)
	if e.Step == StepFrontDoor {
		s.settle(now)
	}
}

// settle says that the stack is ready; from now on it is kept so.
func (s *State) settle(now time.Time) {
	s.enter(Settled, now)
	s.sayStackReady()
	for i := range s.Containers {
		s.Containers[i].Changed = false
	}
}
