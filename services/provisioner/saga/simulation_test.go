package saga

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// simulation plays the world around a saga, in virtual time: a bus that
// delivers in any order and more than once, actions that fail or whose result
// is lost because the process was killed, services that answer.
type simulation struct {
	t     *testing.T
	rand  *rand.Rand
	rules Rules
	now   time.Time
	state State // as stored

	world    map[int]*simulated
	messages []Event // on the bus, not yet delivered
	services map[int]bool
	sequence uint64
	failing  float64 // how probable it is that an action fails
	broken   bool    // whether no action but compensation ever works

	asked []string       // runs
	ended map[string]int // how each run ended: notices per run
	saw   map[string]int // the same notice, said how often
}

// simulated is a container in the world.
type simulated struct {
	run     string // that created it
	running bool
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &simulation{
		t: t, rand: r, now: start, state: New("home"), world: map[int]*simulated{},
		services: map[int]bool{}, failing: r.Float64() * 0.7, broken: r.IntN(5) == 0,
		ended: map[string]int{}, saw: map[string]int{},
	}
	for _, w := range wishes() {
		switch r.IntN(3) {
		case 0:
			s.world[w.ID] = &simulated{run: "home-0"}
		case 1:
			s.world[w.ID] = &simulated{run: "home-0", running: true}
		}
	}
	return s
}

// request puts a stack.requested on the bus.
func (s *simulation) request() {
	s.sequence++
	e := request(s.sequence, events.Present)
	if s.rand.IntN(3) == 0 {
		e = request(s.sequence, events.Absent)
		e.Purge = s.rand.IntN(2) == 0
	}
	s.asked = append(s.asked, e.Run)
	s.messages = append(s.messages, e)
}

// step lets one thing happen.
func (s *simulation) step() {
	switch n := s.rand.IntN(10); {
	case n < 4 && len(s.messages) > 0:
		s.deliver()
	case n == 9:
		s.now = s.now.Add(time.Duration(s.rand.Int64N(int64(20 * time.Second))))
		s.apply(Tick{})
	default:
		s.act()
	}
}

// deliver hands over any message, and perhaps leaves it for a second time.
// Requests keep their order, as one consumer handles them one after the other.
func (s *simulation) deliver() {
	i := s.rand.IntN(len(s.messages))
	e := s.messages[i]
	if _, isRequest := e.(Requested); isRequest {
		i = slices.IndexFunc(s.messages, func(m Event) bool { _, ok := m.(Requested); return ok })
		e = s.messages[i]
	}
	s.apply(e)
	if s.rand.IntN(4) > 0 {
		s.messages = slices.Delete(s.messages, i, i+1)
	}
}

// apply stores the state after e, as a restarted process would read it.
func (s *simulation) apply(e Event) {
	s.t.Helper()
	raw, err := json.Marshal(s.rules.Apply(s.state, e, s.now))
	if err != nil {
		s.t.Fatal(err)
	}
	s.state = State{}
	if err := json.Unmarshal(raw, &s.state); err != nil {
		s.t.Fatal(err)
	}
}

// act carries out one of the actions; its result may get lost.
func (s *simulation) act() {
	actions := s.state.Next()
	if len(actions) == 0 {
		return
	}
	a := actions[s.rand.IntN(len(actions))]
	result := s.do(a)
	if s.rand.Float64() < 0.1 {
		return // killed before the result was stored
	}
	s.apply(result)
}

func (s *simulation) do(a Action) Event {
	undoing := a.Kind == Undo || a.Kind == Remove || a.Kind == Say || a.Kind == Withdraw || a.Kind == List
	if !undoing && (s.broken && a.Kind == See || s.rand.Float64() < s.failing) {
		if s.rand.IntN(20) == 0 {
			return Refused{a.Run, a.Step, "refused"}
		}
		return Trouble{a.Run, a.Step, "trouble"}
	}
	switch a.Kind {
	case Say:
		return s.say(a)
	case Configure:
		return Configured{Run: a.Run, Wishes: wishes()}
	case Look:
		return Found{a.Run, a.Container, s.presence(a.Container)}
	case Make:
		return s.makeContainer(a)
	case Probe:
		return ContainerAlive{a.Run, a.Container}
	case Register:
		return ServicesRegistered{a.Run, 1}
	case See:
		return StepSeen{a.Run, a.Step}
	case Withdraw:
		return ServicesWithdrawn{a.Run, 1}
	case List:
		return s.list(a)
	case Undo:
		return s.undo(a)
	case Remove:
		return s.remove(a)
	case WatchDoor:
		return FrontDoorSeen{a.Run, ""}
	default:
		if c, ok := s.state.Container(a.Container); ok && s.rand.IntN(10) == 0 && c.Stage == Ready {
			return ContainerLost{a.Run, a.Container, "lost"}
		}
		return Tick{}
	}
}

// say publishes, and lets the services answer.
func (s *simulation) say(a Action) Event {
	n := s.state.Outbox[0]
	s.saw[n.id()]++
	s.sequence++
	switch p := n.Payload().(type) {
	case events.ContainerRequested:
		s.messages = append(s.messages, ContainerRequested{p.Run, p.ID})
	case events.ContainerReady:
		s.messages = append(s.messages,
			CASaid{Fact[events.CAReady]{Sequence: s.sequence}},
			ProxySaid{Fact[events.ProxyReady]{Sequence: s.sequence}},
			GatewaySaid{Fact[events.GatewayReady]{Sequence: s.sequence}})
	case events.StackReady:
		s.ended[p.Run] |= 1
	case events.StackFailed:
		s.ended[p.Run] |= 2
	case events.StackRemoved:
		s.ended[p.Run] |= 4
	}
	return Said{a.Notice}
}

func (s *simulation) presence(id int) Presence {
	switch c := s.world[id]; {
	case c == nil:
		return Missing
	case c.running:
		return Running
	default:
		return Kept
	}
}

func (s *simulation) makeContainer(a Action) Event {
	if s.world[a.Container] == nil {
		s.world[a.Container] = &simulated{run: a.Run}
	}
	s.world[a.Container].running = true
	if s.rand.Float64() < s.failing {
		return Trouble{a.Run, a.Step, "made, but the answer got lost"}
	}
	return ContainerMade{Run: a.Run, ID: a.Container, Changed: true}
}

// undo is checked: nothing may go that was there before the run.
func (s *simulation) undo(a Action) Event {
	c, _ := s.state.Container(a.Container)
	w := s.world[a.Container]
	switch {
	case w == nil:
		return ContainerUndone{a.Run, a.Container, ""}
	case c.Before == Kept:
		w.running = false
	case !slices.Contains(s.state.Runs(), w.run):
		s.t.Fatalf("run %s destroys container %d of run %s", a.Run, a.Container, w.run)
	default:
		delete(s.world, a.Container)
	}
	return ContainerUndone{a.Run, a.Container, "undone"}
}

func (s *simulation) list(a Action) Event {
	var found []Container
	for _, w := range wishes() {
		if s.world[w.ID] != nil {
			found = append(found, Container{Wish: w})
		}
	}
	return ContainersListed{a.Run, found}
}

func (s *simulation) remove(a Action) Event {
	if s.state.Purge {
		delete(s.world, a.Container)
	} else if w := s.world[a.Container]; w != nil {
		w.running = false
	}
	return ContainerRemoved{a.Run, a.Container, "removed"}
}

// atRest says that nothing is under way any more.
func (s *simulation) atRest() bool {
	requests := slices.ContainsFunc(s.messages, func(m Event) bool { _, ok := m.(Requested); return ok })
	moving := s.state.Phase == Making || s.state.Phase == Undoing || s.state.Phase == Removing
	return !requests && !moving && len(s.state.Outbox) == 0
}

// check says what must hold whatever happened.
func (s *simulation) check() {
	for _, run := range s.asked {
		if n := s.ended[run]; n != 1 && n != 2 && n != 4 {
			s.t.Errorf("run %s ended as %03b, want exactly one of ready, failed, removed", run, n)
		}
	}
	running := 0
	for _, c := range s.world {
		if c.running {
			running++
		}
	}
	switch {
	case s.state.Phase == Settled && running != 3:
		s.t.Errorf("ready with %d containers running", running)
	case s.state.Phase == Absent && running != 0:
		s.t.Errorf("absent with %d containers running", running)
	case s.state.Phase == Absent && s.state.Purge && len(s.world) != 0:
		s.t.Errorf("purged, and %d containers are there", len(s.world))
	case s.state.Phase == Failed:
		s.checkCompensated()
	}
}

// checkCompensated wants nothing left of what the failed run made.
func (s *simulation) checkCompensated() {
	for id, c := range s.world {
		if slices.Contains(s.state.Runs(), c.run) {
			s.t.Errorf("run %s failed and left container %d behind", s.state.Run, id)
		}
	}
}

// TestAnyOrderEndsReadyOrCompensated runs sagas through random worlds. The name
// of a failing case is its seed.
func TestAnyOrderEndsReadyOrCompensated(t *testing.T) {
	ends := map[Phase]int{}
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newSimulation(t, seed)
			for range 1 + s.rand.IntN(4) {
				s.request()
				for range s.rand.IntN(60) {
					s.step()
				}
			}
			for n := 0; !s.atRest(); n++ {
				if n > 20_000 {
					t.Fatalf("no end: phase %s, steps %v, actions %v", s.state.Phase, s.state.Steps, s.state.Next())
				}
				s.step()
			}
			s.check()
			ends[s.state.Phase]++
		})
	}
	for _, p := range []Phase{Settled, Failed, Absent} {
		if ends[p] < 20 {
			t.Errorf("only %d of the simulations end %s: the test does not test that", ends[p], p)
		}
	}
}
