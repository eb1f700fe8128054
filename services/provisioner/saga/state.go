package saga

import (
	"maps"
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Phase is what is being done with a stack.
type Phase string

// The phases of a stack.
const (
	Absent   Phase = "absent"   // nothing runs, nothing is under way
	Making   Phase = "making"   // a run brings it up
	Settled  Phase = "settled"  // it is up and kept up
	Undoing  Phase = "undoing"  // a run failed; what it made is being removed
	Failed   Phase = "failed"   // the last run failed
	Removing Phase = "removing" // a run takes it down
)

// Presence is what was there of a container before a run began. It decides
// what compensation may do.
type Presence string

// What can be found of a container.
const (
	Missing Presence = "missing" // nothing: compensation removes all of it
	Kept    Presence = "kept"    // data of a former life: compensation keeps it
	Running Presence = "running" // it ran: compensation leaves it alone
)

// Stage is how far a container has come.
type Stage string

// The stages of a container, in this order.
const (
	Wanted   Stage = "wanted"   // to be looked for
	Asked    Stage = "asked"    // container.requested was said
	Accepted Stage = "accepted" // container.requested was heard: to be made
	Made     Stage = "made"     // it runs; to be seen alive
	Ready    Stage = "ready"    // its service was seen alive
	Leaving  Stage = "leaving"  // to be taken down
	Gone     Stage = "gone"     // taken down; its data is kept
	Unknown  Stage = "unknown"  // its run failed because it could not be looked at
)

// doing says in a word what a container of that stage waits for.
func (s Stage) doing() string {
	switch s {
	case Wanted:
		return "look"
	case Asked:
		return "request"
	case Accepted:
		return "make"
	default:
		return "start"
	}
}

// State is everything that is known of a stack's life. It is stored as JSON
// after each change and before anything is done about it.
type State struct {
	Stack string `json:"stack"`
	Phase Phase  `json:"phase"`
	// Request is the one that the present or last run answers.
	Request
	// Waiting is the newest request that arrived while the stack was being
	// removed or a failed run undone.
	Waiting *Request `json:"waiting,omitempty"`

	Since    time.Time `json:"since"`             // of Phase
	Began    time.Time `json:"began,omitzero"`    // the run
	Deadline time.Time `json:"deadline,omitzero"` // of the run
	Limits   Limits    `json:"limits,omitzero"`   // as the run's configuration wants them
	// Steps tells how far the run has come.
	Steps      map[Step]Progress `json:"steps,omitempty"`
	Containers []Container       `json:"containers,omitempty"`
	Listed     bool              `json:"listed,omitempty"` // Containers is what the driver listed

	Domain  string `json:"domain,omitempty"`
	Address string `json:"address,omitempty"` // URL of the front door

	// What the services said last. It is checked against what is really there
	// before a step is done.
	CA      Fact[events.CAReady]      `json:"ca,omitzero"`
	Proxy   Fact[events.ProxyReady]   `json:"proxy,omitzero"`
	Gateway Fact[events.GatewayReady] `json:"gateway,omitzero"`

	Changed int      `json:"changed,omitempty"` // services registered or removed by the run
	Failure *Failure `json:"failure,omitempty"`
	Undone  []string `json:"undone,omitempty"` // what compensation or removal did
	// Withdrawn says that the services' part of compensation or removal is done.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Trouble tells why the front door of a settled stack does not answer.
	Trouble string `json:"trouble,omitempty"`

	// Outbox is what must still be said on the bus, in this order.
	Outbox []Notice `json:"outbox,omitempty"`
}

// Request is a stack.requested.
type Request struct {
	Run      string      `json:"run,omitempty"`
	Sequence uint64      `json:"sequence,omitempty"`
	Want     events.Want `json:"want,omitempty"`
	Purge    bool        `json:"purge,omitempty"`
	// Trace is the W3C traceparent of the request.
	Trace string `json:"trace,omitempty"`
	// Joined lists older runs with the same wish; they end with this one.
	Joined []string `json:"joined,omitempty"`
}

// Runs lists all runs that end with this request. What any of them made, all of
// them may undo.
func (r Request) Runs() []string { return append(slices.Clone(r.Joined), r.Run) }

// Progress is how far a step has come.
type Progress struct {
	Done     bool      `json:"done,omitempty"`
	Deadline time.Time `json:"deadline,omitzero"` // set when the step begins
	Trouble  string    `json:"trouble,omitempty"` // what went wrong last
}

// Failure is why a run failed.
type Failure struct {
	Step   Step   `json:"step"`
	Reason string `json:"reason"`
}

// Container is what is known of a container.
type Container struct {
	Wish
	Stage  Stage    `json:"stage"`
	Former Stage    `json:"former,omitempty"` // when the run began
	Before Presence `json:"before,omitempty"` // what the run found
	// Changed says that the run, or the repair, changed something in it.
	Changed bool `json:"changed,omitempty"`
	// Repairs counts how often it was brought back since the run ended.
	Repairs int    `json:"repairs,omitempty"`
	Trouble string `json:"trouble,omitempty"`
	Seen
}

// Wish is what identifies a container.
type Wish struct {
	ID   int         `json:"id"`
	Role events.Role `json:"role"`
	Name string      `json:"name"`
}

// Seen is what is known of a container once it was made.
type Seen struct {
	Run     string         `json:"run,omitempty"` // the run that created it
	Driver  string         `json:"driver,omitempty"`
	Address string         `json:"address,omitempty"`
	Ports   map[string]int `json:"ports,omitempty"`
	Curve   string         `json:"curve,omitempty"`
}

// Fact is the newest that a service said, and the sequence of that message.
type Fact[T any] struct {
	Sequence uint64 `json:"sequence"`
	Data     T      `json:"data"`
}

// newer returns the fact of the later message.
func (f Fact[T]) newer(other Fact[T]) Fact[T] {
	if other.Sequence > f.Sequence {
		return other
	}
	return f
}

// New returns the state of a stack that nobody asked for yet.
func New(stack string) State { return State{Stack: stack, Phase: Absent} }

// Container returns what is known of the container with that id.
func (s State) Container(id int) (Container, bool) {
	i := slices.IndexFunc(s.Containers, func(c Container) bool { return c.ID == id })
	if i < 0 {
		return Container{}, false
	}
	return s.Containers[i], true
}

// clone returns a state that shares nothing that Apply changes.
func (s State) clone() State {
	s.Steps = maps.Clone(s.Steps)
	if s.Steps == nil {
		s.Steps = map[Step]Progress{}
	}
	s.Containers = slices.Clone(s.Containers)
	s.Outbox = slices.Clone(s.Outbox)
	s.Undone = slices.Clone(s.Undone)
	s.Joined = slices.Clone(s.Joined)
	return s
}

// update changes the container with that id, if it is there.
func (s *State) update(id int, change func(*Container)) {
	for i := range s.Containers {
		if s.Containers[i].ID == id {
			change(&s.Containers[i])
		}
	}
}

// drop forgets the container with that id.
func (s *State) drop(id int) {
	s.Containers = slices.DeleteFunc(s.Containers, func(c Container) bool { return c.ID == id })
}

// progress changes what is known of a step.
func (s *State) progress(step Step, change func(*Progress)) {
	p := s.Steps[step]
	change(&p)
	s.Steps[step] = p
}

func (s *State) done(step Step) {
	s.progress(step, func(p *Progress) { p.Done, p.Trouble = true, "" })
}
