package await

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Run follows one run of a stack from event to event.
type Run struct {
	stack string
	first uint64 // sequence of the stack.requested that began it
	begun map[int]time.Time
	roles map[int]events.Role
	seen  map[string]bool // by subject: what came already
	certs int
	past  time.Time // when the last thing of the chain came
}

// NewRun follows the run that answers the stack.requested with that sequence,
// or a newer one that took it over.
func NewRun(stack string, sequence uint64, now time.Time) *Run {
	return &Run{
		stack: stack, first: sequence, past: now,
		begun: map[int]time.Time{}, roles: map[int]events.Role{}, seen: map[string]bool{},
	}
}

// Step is something that is done, and how long it took.
type Step struct {
	Text string
	Took time.Duration
	Bad  bool
}

// End is how a run ended; one of them is set.
type End struct {
	Ready   *events.StackReady
	Failed  *events.StackFailed
	Removed *events.StackRemoved
}

// See takes the next event and tells what it means for the run: steps that are
// done, and the end once it is there.
func (r *Run) See(e view.Event) ([]Step, *End) {
	switch e.Subject {
	case events.ContainerRequested{}.Subject():
		r.containerRequested(e)
		return nil, nil
	case events.ContainerReady{}.Subject():
		return r.containerReady(e), nil
	case events.ContainerFailed{}.Subject():
		return on(e, func(c events.ContainerFailed) []Step {
			return r.ours(c.Stack, Step{Text: fmt.Sprintf("container %d (%s) failed at %s: %s", c.ID, c.Role, c.Step, c.Reason), Bad: true})
		}), nil
	case events.ContainerRemoved{}.Subject():
		return on(e, func(c events.ContainerRemoved) []Step {
			return r.ours(c.Stack, Step{Text: fmt.Sprintf("container %d (%s) is gone", c.ID, c.Role)})
		}), nil
	case events.CertIssued{}.Subject():
		r.certs++
		return nil, nil
	}
	if steps := r.chain(e); steps != nil {
		return steps, nil
	}
	return nil, r.end(e)
}

// Waiting says what the run waits for now.
func (r *Run) Waiting() string {
	var ids []string
	for id := range r.begun {
		ids = append(ids, fmt.Sprintf("%d (%s)", id, r.roles[id]))
	}
	slices.Sort(ids)
	certs := ""
	if r.certs > 0 {
		certs = fmt.Sprintf(" (certificates issued so far: %d)", r.certs)
	}
	switch {
	case r.seen[events.GatewayReady{}.Subject()]:
		return "the front door" + certs
	case r.seen[events.ProxyReady{}.Subject()]:
		return "the gateway" + certs
	case len(ids) > 0 && !r.seen[events.CAReady{}.Subject()]:
		return "containers " + strings.Join(ids, ", ")
	case r.seen[events.CAReady{}.Subject()]:
		return "the proxy and its certificates" + certs
	case len(r.seen) > 0:
		return "the certificate authority"
	}
	return "the provisioner"
}

func (r *Run) containerRequested(e view.Event) {
	var c events.ContainerRequested
	if json.Unmarshal(e.Data, &c) == nil && c.Stack == r.stack {
		r.begun[c.ID], r.roles[c.ID] = e.Time, c.Role
	}
}

func (r *Run) containerReady(e view.Event) []Step {
	return on(e, func(c events.ContainerReady) []Step {
		if c.Stack != r.stack {
			return nil
		}
		var took time.Duration
		if begun, ok := r.begun[c.ID]; ok {
			took = e.Time.Sub(begun)
		}
		delete(r.begun, c.ID)
		r.seen[e.Subject], r.past = true, e.Time
		return []Step{{Text: fmt.Sprintf("container %d (%s) runs at %s", c.ID, c.Role, c.Address), Took: took}}
	})
}

// chain tells of the services that come up one after the other.
func (r *Run) chain(e view.Event) []Step {
	var text string
	switch e.Subject {
	case events.CAReady{}.Subject():
		var c events.CAReady
		if json.Unmarshal(e.Data, &c) == nil {
			text = "certificate authority serves at " + c.URL
		}
	case events.ProxyReady{}.Subject():
		var p events.ProxyReady
		if json.Unmarshal(e.Data, &p) == nil {
			text = "proxy serves " + p.Host + " at " + p.Address
		}
	case events.GatewayReady{}.Subject():
		var g events.GatewayReady
		if json.Unmarshal(e.Data, &g) == nil {
			text = "gateway serves at " + strings.Join(g.Addresses, ", ")
		}
	}
	if text == "" || r.seen[e.Subject] {
		return nil
	}
	took := e.Time.Sub(r.past)
	r.seen[e.Subject], r.past = true, e.Time
	return []Step{{Text: text, Took: took}}
}

// end tells how the run, or a newer one, ended.
func (r *Run) end(e view.Event) *End {
	var end End
	var run string
	var err error
	switch e.Subject {
	case events.StackReady{}.Subject():
		end.Ready = &events.StackReady{}
		err = json.Unmarshal(e.Data, end.Ready)
		run = end.Ready.Run
	case events.StackFailed{}.Subject():
		end.Failed = &events.StackFailed{}
		err = json.Unmarshal(e.Data, end.Failed)
		run = end.Failed.Run
	case events.StackRemoved{}.Subject():
		end.Removed = &events.StackRemoved{}
		err = json.Unmarshal(e.Data, end.Removed)
		run = end.Removed.Run
	}
	if err != nil || !r.covers(run) {
		return nil
	}
	return &end
}

// covers says whether a run is the one that is followed, or a newer one.
func (r *Run) covers(run string) bool {
	digits, ok := strings.CutPrefix(run, r.stack+"-")
	if !ok {
		return false
	}
	sequence, err := strconv.ParseUint(digits, 10, 64)
	return err == nil && sequence >= r.first
}

// ours drops the step unless it is about the stack.
func (r *Run) ours(stack string, s Step) []Step {
	if stack != r.stack {
		return nil
	}
	return []Step{s}
}

// on decodes the event's payload for see.
func on[T events.Payload](e view.Event, see func(T) []Step) []Step {
	var v T
	if json.Unmarshal(e.Data, &v) != nil {
		return nil
	}
	return see(v)
}
