package registry

import (
	"cmp"
	"slices"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// verdict is what came of one message.
type verdict struct {
	record Record
	name   string
	err    error // why it was refused; nil when it took effect
}

// holding is what is in force for one name.
type holding struct {
	service  *Service // nil: removed
	sequence uint64   // of the message that is in force
}

// court judges messages in the order of their places.
type court struct {
	names    map[string]holding
	hosts    map[string]string // host → name
	verdicts []verdict
}

// judge returns what comes of the entries' messages.
func judge(entries []*Entry) *court {
	var all []verdict
	for _, e := range entries {
		for _, r := range e.Records {
			all = append(all, verdict{record: r, name: e.Name})
		}
	}
	slices.SortFunc(all, func(a, b verdict) int {
		return cmp.Or(compareRecords(a.record, b.record), cmp.Compare(a.name, b.name))
	})
	c := &court{names: map[string]holding{}, hosts: map[string]string{}, verdicts: all}
	for i := range c.verdicts {
		c.hear(&c.verdicts[i])
	}
	return c
}

// hear judges the next message.
func (c *court) hear(v *verdict) {
	v.err = c.objection(v.name, v.record)
	if v.err != nil {
		return
	}
	if former := c.names[v.name].service; former != nil {
		for _, h := range former.Hosts {
			delete(c.hosts, h)
		}
	}
	c.names[v.name] = holding{service: v.record.Service, sequence: v.record.Sequence}
	if v.record.Service == nil {
		return
	}
	for _, h := range v.record.Service.Hosts {
		c.hosts[h] = v.name
	}
}

// objection says why a message can't take effect now.
func (c *court) objection(name string, r Record) error {
	now := c.names[name]
	if r.Sequence < now.sequence {
		return ErrSuperseded
	}
	if now.service != nil && now.service.Owner != r.Speaker && !(r.Service == nil && r.Speaker == events.Ops) {
		return &HeldError{Holder: name, Owner: now.service.Owner}
	}
	if r.Service == nil {
		return nil
	}
	for _, h := range r.Service.Hosts {
		if holder, held := c.hosts[h]; held && holder != name {
			return &HeldError{Host: h, Holder: holder, Owner: c.names[holder].service.Owner}
		}
	}
	return nil
}
