package registry

import (
	"maps"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// Ledger knows who holds what. It is not safe for concurrent use.
type Ledger struct {
	rules    Rules
	entries  map[string]*Entry
	mentions map[string]map[string]struct{} // host → names with a message about it
	live     map[string]*Service
	holder   map[string]string // host → name
	unsaved  map[string]struct{}
}

// Change says what became of one name. Before and After are what was and is in
// force; nil means nothing. They are shared and not to be written.
type Change struct {
	Name          string
	Before, After *Service
	// Refused says why Before is no longer in force although nobody removed it:
	// an older message that arrived late has the better right.
	Refused error
}

// New returns the ledger with the entries that a former one left.
func New(rules Rules, entries ...Entry) *Ledger {
	l := &Ledger{
		rules: rules, entries: map[string]*Entry{}, mentions: map[string]map[string]struct{}{},
		live: map[string]*Service{}, holder: map[string]string{}, unsaved: map[string]struct{}{},
	}
	for _, e := range entries {
		e.Records = slices.Clone(e.Records)
		l.entries[e.Name] = &e
		l.mention(&e)
	}
	done := map[string]struct{}{}
	for n := range l.entries {
		if _, ok := done[n]; ok {
			continue
		}
		group := l.group(n)
		l.enforce(group, judge(group))
		for _, e := range group {
			done[e.Name] = struct{}{}
		}
	}
	return l
}

// Register hears a service.registered. The changes are what now is in force
// differently, for this name and others. The error, ErrInvalid, ErrHeld or
// ErrSuperseded, says that the message itself was refused; changes may come with
// it, and hearing it again gives the same answer.
func (l *Ledger) Register(meta events.Meta, m events.ServiceRegistered) ([]Change, error) {
	s, err := l.rules.Parse(meta, m)
	if err != nil {
		return nil, err
	}
	return l.hear(s.Name, record(meta, &s))
}

// Remove hears a service.removed, as Register does. Removing what is not there
// is no error.
func (l *Ledger) Remove(meta events.Meta, m events.ServiceRemoved) ([]Change, error) {
	if err := name.Service(m.Name); err != nil {
		return nil, invalid(err)
	}
	return l.hear(m.Name, record(meta, nil))
}

func record(meta events.Meta, s *Service) Record {
	at := max(meta.Sequence, meta.ReplayedAt)
	return Record{Sequence: meta.Sequence, At: at, Speaker: meta.Speaker, Service: s}
}

// Claimed returns the service that holds a host.
func (l *Ledger) Claimed(host string) (Service, bool) {
	return l.Service(l.holder[host])
}

// Service returns what is in force for a name.
func (l *Ledger) Service(name string) (Service, bool) {
	s, ok := l.live[name]
	if !ok {
		return Service{}, false
	}
	return *s, true
}

// Services returns everything in force, ordered by name.
func (l *Ledger) Services() []Service {
	out := make([]Service, 0, len(l.live))
	for _, n := range slices.Sorted(maps.Keys(l.live)) {
		out = append(out, *l.live[n])
	}
	return out
}

// Refused says why nothing is in force for a name that was registered: the
// newest registration was refused, and nobody removed it. It is nil otherwise.
func (l *Ledger) Refused(name string) error {
	e, ok := l.entries[name]
	if _, live := l.live[name]; !ok || live || len(e.Records) == 0 {
		return nil
	}
	newest := e.Records[len(e.Records)-1]
	if newest.Service == nil {
		return nil
	}
	return judge(l.group(name)).verdictOf(name, newest.Sequence)
}

// Unsaved returns the entries that changed since they were saved.
func (l *Ledger) Unsaved() []Entry {
	out := make([]Entry, 0, len(l.unsaved))
	for n := range l.unsaved {
		e := *l.entries[n]
		e.Records = slices.Clone(e.Records)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Saved tells that an entry from Unsaved is stored.
func (l *Ledger) Saved(e Entry) {
	if now, ok := l.entries[e.Name]; ok && now.version == e.version {
		delete(l.unsaved, e.Name)
	}
}

// hear puts a message into its place and judges all that it may touch.
func (l *Ledger) hear(name string, r Record) ([]Change, error) {
	e, ok := l.entries[name]
	if !ok {
		e = &Entry{Name: name}
		l.entries[name] = e
	}
	if e.add(r) {
		l.touched(e)
	}
	group := l.group(name)
	c := judge(group)
	changes := l.enforce(group, c)
	err := c.verdictOf(name, r.Sequence)
	l.forget(group, c)
	return changes, err
}

// verdictOf returns what came of a message of that name.
func (c *court) verdictOf(name string, sequence uint64) error {
	for _, v := range c.verdicts {
		if v.name == name && v.record.Sequence == sequence {
			return v.err
		}
	}
	return nil
}

// group returns the entries that can have to do with name: those that mention a
// host in common, directly or through others.
func (l *Ledger) group(name string) []*Entry {
	seen := map[string]struct{}{name: {}}
	group := []*Entry{l.entries[name]}
	for i := 0; i < len(group); i++ {
		for h := range group[i].hosts() {
			for other := range l.mentions[h] {
				if _, ok := seen[other]; !ok {
					seen[other] = struct{}{}
					group = append(group, l.entries[other])
				}
			}
		}
	}
	return group
}

// enforce takes over what is in force for the group, and tells what changed.
func (l *Ledger) enforce(group []*Entry, c *court) []Change {
	var changes []Change
	for _, e := range group {
		before, after := l.live[e.Name], c.names[e.Name].service
		if before != nil {
			for _, h := range before.Hosts {
				if l.holder[h] == e.Name {
					delete(l.holder, h)
				}
			}
		}
		if !same(before, after) {
			changes = append(changes, Change{Name: e.Name, Before: before, After: after, Refused: c.refusalOf(before)})
		}
		delete(l.live, e.Name)
		if after != nil {
			l.live[e.Name] = after
		}
	}
	maps.Copy(l.holder, c.hosts)
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

func same(a, b *Service) bool {
	return a == b || a != nil && b != nil && a.Sequence == b.Sequence
}

func (c *court) refusalOf(s *Service) error {
	if s == nil {
		return nil
	}
	return c.verdictOf(s.Name, s.Sequence)
}

// forget drops old messages once a name of the group has too many: those that
// were refused and those that a later one replaced, up to the oldest message that
// this name may keep. Whatever was in force at that place stays, so later ones
// are judged as before.
func (l *Ledger) forget(group []*Entry, c *court) {
	var horizon uint64
	for _, e := range group {
		if n := len(e.Records) - maxRecords; n > 0 {
			horizon = max(horizon, e.Records[n].At)
		}
	}
	if horizon == 0 {
		return
	}
	kept := judgedUntil(c.verdicts, horizon)
	for _, e := range group {
		n := len(e.Records)
		e.Records = slices.DeleteFunc(e.Records, func(r Record) bool {
			return r.At < horizon && kept[e.Name] != r.Sequence
		})
		if len(e.Records) != n {
			l.touched(e)
		}
	}
}

// judgedUntil returns, by name, the message in force just before the horizon.
func judgedUntil(all []verdict, horizon uint64) map[string]uint64 {
	out := map[string]uint64{}
	for _, v := range all {
		if v.record.At < horizon && v.err == nil {
			out[v.name] = v.record.Sequence
		}
	}
	return out
}

// touched notes that an entry changed.
func (l *Ledger) touched(e *Entry) {
	e.version++
	l.unsaved[e.Name] = struct{}{}
	l.mention(e)
}

// mention brings the index of hosts up to date. A host that is no longer
// mentioned stays in it until the ledger is loaded again: that makes a group
// larger than it need be, and nothing else.
func (l *Ledger) mention(e *Entry) {
	for h := range e.hosts() {
		if l.mentions[h] == nil {
			l.mentions[h] = map[string]struct{}{}
		}
		l.mentions[h][e.Name] = struct{}{}
	}
}
