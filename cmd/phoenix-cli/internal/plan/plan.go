// Package plan says what bringing a stack up would change: its configuration
// compared with what is there. It is pure: facts in, changes out.
package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// Action is what would be done to a thing.
type Action string

// The actions.
const (
	Create Action = "create"
	Change Action = "change"
	Remove Action = "remove"
	// Refuse: somebody else holds the name or host, so the stack keeps it as
	// it is.
	Refuse Action = "refuse"
)

// Step is one thing that would be done.
type Step struct {
	Action Action `json:"action"`
	Kind   string `json:"kind"` // stack, setting, container or service
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

// Plan is everything that would be done.
type Plan struct {
	Stack string `json:"stack"`
	Steps []Step `json:"steps"`
}

// Now is what is there.
type Now struct {
	// Config is the configuration that the stack was last brought up with; nil
	// when there was none.
	Config     *config.Stack
	Stack      events.StackState
	Containers []events.ContainerState
	Services   []events.ServiceState
}

// New compares the wished stack with what is there.
func New(want config.Stack, now Now) Plan {
	steps := []Step{}
	steps = append(steps, stack(want, now)...)
	steps = append(steps, settings(want, now)...)
	steps = append(steps, containers(want, now)...)
	steps = append(steps, services(want, now)...)
	return Plan{Stack: want.Stack, Steps: steps}
}

func stack(want config.Stack, now Now) []Step {
	switch now.Stack.State {
	case "", events.StateAbsent:
		return []Step{{Create, "stack", want.Stack, fmt.Sprintf("%s on %s.0/24", want.Domain, want.Addresses)}}
	case events.StateFailed, events.StateStopping:
		return []Step{{Change, "stack", want.Stack, "is " + string(now.Stack.State) + ", shall be ready"}}
	}
	return nil
}

// settings compares everything but the services, key by key.
func settings(want config.Stack, now Now) []Step {
	if now.Config == nil {
		return nil
	}
	was, is := flat(*now.Config), flat(want)
	keys := map[string]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range is {
		keys[k] = true
	}
	var out []Step
	for k := range keys {
		if was[k] != is[k] {
			out = append(out, Step{Change, "setting", k, cmp.Or(was[k], "nothing") + " → " + cmp.Or(is[k], "nothing")})
		}
	}
	slices.SortFunc(out, func(a, b Step) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// flat returns the stack's settings by their path in the file.
func flat(s config.Stack) map[string]string {
	s.Services = nil
	out := map[string]string{}
	raw, err := json.Marshal(s)
	if err != nil {
		return out
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return out
	}
	flatten("", tree, out)
	return out
}

func flatten(path string, tree map[string]any, out map[string]string) {
	for k, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			flatten(path+k+".", sub, out)
			continue
		}
		out[path+k] = fmt.Sprint(v)
	}
}

func containers(want config.Stack, now Now) []Step {
	var out []Step
	for _, c := range []struct {
		id   int
		role events.Role
	}{{101, events.RoleGateway}, {102, events.RoleProxy}, {103, events.RoleCA}} {
		label := fmt.Sprintf("%d", c.id)
		i := slices.IndexFunc(now.Containers, func(s events.ContainerState) bool { return s.ID == c.id })
		switch {
		case i < 0:
			out = append(out, Step{Create, "container", label, fmt.Sprintf("%s at %s", c.role, want.Address(c.id))})
		case now.Containers[i].State != events.StateReady:
			out = append(out, Step{Change, "container", label, fmt.Sprintf("%s is %s, shall be ready", c.role, now.Containers[i].State)})
		}
	}
	return out
}

func services(want config.Stack, now Now) []Step {
	have := map[string]events.ServiceState{}
	for _, s := range now.Services {
		have[s.Name] = s
	}
	var out []Step
	wanted := map[string]bool{}
	for _, s := range want.Services {
		wanted[s.Name] = true
		out = append(out, service(want.Domain, s, have)...)
	}
	for _, s := range now.Services {
		if s.Owner == events.Provisioner && !wanted[s.Name] {
			out = append(out, Step{Remove, "service", s.Name, name.URL(s.Backend)})
		}
	}
	slices.SortFunc(out, func(a, b Step) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func service(domain string, want config.Service, have map[string]events.ServiceState) []Step {
	step := func(a Action, detail string) []Step { return []Step{{a, "service", want.Name, detail}} }
	wish := want.Registration()
	backend, err := name.ParseBackend(wish.URL, wish.Backend)
	if err != nil {
		return step(Refuse, err.Error())
	}
	is, known := have[want.Name]
	hosts := want.HostsIn(domain)
	if !known {
		if host, owner := taken(want.Name, hosts, have); owner != "" {
			return step(Refuse, fmt.Sprintf("%s is served as %s", host, owner))
		}
		return step(Create, strings.Join(hosts, " ")+" → "+name.URL(backend))
	}
	if is.Owner != "" && is.Owner != events.Provisioner {
		return step(Refuse, fmt.Sprintf("the name is held by %s; give it back first: phoenix-cli unexpose %s", is.Owner, want.Name))
	}
	if changes := differences(want, hosts, backend, is); len(changes) > 0 {
		return step(Change, strings.Join(changes, ", "))
	}
	return nil
}

// taken returns the first host that another service has, and which one.
func taken(service string, hosts []string, have map[string]events.ServiceState) (host, owner string) {
	for _, h := range hosts {
		for _, other := range have {
			if other.Name != service && slices.Contains(other.Hosts, h) {
				return h, other.Name
			}
		}
	}
	return "", ""
}

func differences(want config.Service, hosts []string, backend events.Backend, is events.ServiceState) []string {
	var out []string
	if backend != is.Backend {
		out = append(out, name.URL(is.Backend)+" → "+name.URL(backend))
	}
	if a, b := slices.Sorted(slices.Values(is.Hosts)), slices.Sorted(slices.Values(hosts)); !slices.Equal(a, b) {
		out = append(out, "hosts "+strings.Join(a, " ")+" → "+strings.Join(b, " "))
	}
	was, wish := cmp.Or(is.Issuer, events.IssuerACME), cmp.Or(want.Issuer, events.IssuerACME)
	if was != wish {
		out = append(out, fmt.Sprintf("issuer %s → %s", was, wish))
	}
	return out
}
