// Package claims decides what must be said on the bus so that exactly the
// services of a stack's configuration are registered in the provisioner's name.
// It is pure: a [Record] of what was said before and the configuration give a
// [Plan].
package claims

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Record is what was registered so far: service name → registration.
type Record map[string]Claim

// Claim is one registered service.
type Claim struct {
	Run    string   `json:"run"`    // that registered it first
	Digest string   `json:"digest"` // of what was said
	Hosts  []string `json:"hosts"`  // that it holds
	// Unsure says that the registration may or may not lie on the bus: it is
	// recorded before it is said.
	Unsure bool `json:"unsure,omitempty"`
}

// Plan is what must be said: all removals lie on the bus before the first
// registration is said, because a host belongs to whoever claimed it first.
type Plan struct {
	Remove   []events.ServiceRemoved
	Register []events.ServiceRegistered
	// Changed counts the services that are new, changed or gone.
	Changed int
	// Record is what is registered once all was said.
	Record Record
}

// New returns the plan that brings the record to the configuration. A service
// that was registered and is not held any more, because the operator removed it
// or somebody else's claim was in the way, is registered again.
func New(old Record, held map[string]bool, stack config.Stack, run string) (Plan, error) {
	p := Plan{Record: Record{}}
	wanted := map[string]events.ServiceRegistered{}
	for _, s := range stack.Services {
		registration := s.Registration()
		claim, err := claim(registration, s.HostsIn(stack.Domain), run)
		if err != nil {
			return Plan{}, err
		}
		if before, ok := old[s.Name]; ok {
			claim.Run = before.Run
		}
		wanted[s.Name], p.Record[s.Name] = registration, claim
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, stays := wanted[name]; !stays {
			p.remove(name)
			p.Changed++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		before, was := old[name]
		if was && held[name] && !before.Unsure && before.Digest == p.Record[name].Digest {
			continue
		}
		if was && p.handsOver(name, before) {
			p.remove(name)
		}
		p.Register = append(p.Register, wanted[name])
		p.Changed++
	}
	return p, nil
}

func (p *Plan) remove(name string) {
	p.Remove = append(p.Remove, events.ServiceRemoved{Name: name})
}

// handsOver says that a changed service leaves a host to another one of the
// configuration. It must then let go of everything first, or the other's
// registration would be refused.
func (p *Plan) handsOver(name string, before Claim) bool {
	for _, host := range before.Hosts {
		for other, claim := range p.Record {
			if other != name && slices.Contains(claim.Hosts, host) {
				return true
			}
		}
	}
	return false
}

// Unsure returns the record to be kept while the plan is being carried out: it
// knows all that may be registered, so that it can be said again or withdrawn.
func (p Plan) Unsure(old Record) Record {
	out := maps.Clone(old)
	if out == nil {
		out = Record{}
	}
	for _, r := range p.Register {
		claim := p.Record[r.Name]
		claim.Unsure = true
		out[r.Name] = claim
	}
	return out
}

// Withdraw returns the plan that removes what the given runs registered first;
// with no runs given, everything.
func Withdraw(old Record, runs []string) Plan {
	p := Plan{Record: Record{}}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if len(runs) > 0 && !slices.Contains(runs, old[name].Run) {
			p.Record[name] = old[name]
			continue
		}
		p.remove(name)
		p.Changed++
	}
	return p
}

func claim(r events.ServiceRegistered, hosts []string, run string) (Claim, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return Claim{}, fmt.Errorf("render registration of %s: %w", r.Name, err)
	}
	sum := sha256.Sum256(raw)
	return Claim{Run: run, Digest: hex.EncodeToString(sum[:8]), Hosts: hosts}, nil
}
