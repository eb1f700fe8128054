package saga

import (
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// ContainersListed tells which containers of the stack there are.
type ContainersListed struct {
	Run        string
	Containers []Container
}

func (e ContainersListed) apply(s *State, _ Rules, _ time.Time) {
	if e.Run != s.Run || s.Phase != Removing || s.Listed {
		return
	}
	s.Listed = true
	s.Containers = slices.Clone(e.Containers)
	for i := range s.Containers {
		s.Containers[i].Stage = Leaving
	}
}

// ContainerRemoved tells that a container was taken down.
type ContainerRemoved struct {
	Run  string
	ID   int
	What string // what was done, for people; empty when there was nothing to do
}

func (e ContainerRemoved) apply(s *State, _ Rules, _ time.Time) {
	c, ok := s.Container(e.ID)
	if e.Run != s.Run || s.Phase != Removing || !ok || c.Stage != Leaving {
		return
	}
	s.left(c, s.Purge, e.What)
}

// removed says that the stack is gone.
func (s *State) removed(r Rules, now time.Time) {
	s.done(StepRemove)
	s.enter(Absent, now)
	s.CA, s.Proxy, s.Gateway = Fact[events.CAReady]{}, Fact[events.ProxyReady]{}, Fact[events.GatewayReady]{}
	s.Address = ""
	s.sayStackRemoved()
	s.proceed(r, now)
}

// removeFailed says that the stack could not be taken down.
func (s *State) removeFailed(f Failure, r Rules, now time.Time) {
	s.Failure = &f
	s.enter(Failed, now)
	s.sayStackFailed(s.Request, f, s.Undone)
	s.proceed(r, now)
}

// leaving returns the container that is to be taken down next: the gateway
// first and the CA last, so that nobody is served by half a stack.
func (s State) leaving() (Container, bool) {
	var next Container
	found := false
	for _, c := range s.Containers {
		if c.Stage == Leaving && (!found || leaveOrder(c.Role) < leaveOrder(next.Role)) {
			next, found = c, true
		}
	}
	return next, found
}

func leaveOrder(role events.Role) int {
	return slices.Index([]events.Role{events.RoleGateway, events.RoleProxy, events.RoleCA}, role)
}
