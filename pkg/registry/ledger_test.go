package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// message is one thing said on the bus.
type message struct {
	sequence uint64
	speaker  events.Identity
	name     string
	hosts    []string // nil: a removal
	replayed uint64
}

func register(sequence uint64, speaker events.Identity, name string, hosts ...string) message {
	return message{sequence: sequence, speaker: speaker, name: name, hosts: hosts}
}

func remove(sequence uint64, speaker events.Identity, name string) message {
	return message{sequence: sequence, speaker: speaker, name: name}
}

// replay is the message heard again, asked for when the bus had come to at.
func replay(at uint64, m message) message {
	m.replayed = at
	return m
}

func (m message) String() string {
	if m.hosts == nil {
		return fmt.Sprintf("%d %s removes %s", m.sequence, m.speaker, m.name)
	}
	return fmt.Sprintf("%d %s registers %s %v", m.sequence, m.speaker, m.name, m.hosts)
}

func hear(l *registry.Ledger, m message) ([]registry.Change, error) {
	meta := events.Meta{Speaker: m.speaker, Sequence: m.sequence, ReplayedAt: m.replayed}
	if m.hosts == nil {
		return l.Remove(meta, events.ServiceRemoved{Name: m.name})
	}
	hosts := make([]string, 0, len(m.hosts))
	for _, h := range m.hosts {
		hosts = append(hosts, h+"."+domain)
	}
	return l.Register(meta, events.ServiceRegistered{Name: m.name, Hosts: hosts, URL: fmt.Sprintf("http://10.0.0.1:%d", m.sequence)})
}

// held renders who holds what, by which message.
func held(l *registry.Ledger) string {
	var out []string
	for _, s := range l.Services() {
		for _, h := range s.Hosts {
			if c, ok := l.Claimed(h); !ok || c.Name != s.Name {
				out = append(out, "index of hosts is wrong for "+h)
			}
		}
		out = append(out, fmt.Sprintf("%s@%d=%s", s.Name, s.Sequence, strings.ReplaceAll(strings.Join(s.Hosts, "+"), "."+domain, "")))
	}
	return strings.Join(out, " ")
}

const (
	ops  = events.Ops
	prov = events.Provisioner
)

func TestLedger(t *testing.T) {
	tests := map[string]struct {
		said    []message
		want    string
		refused []uint64 // sequences that are refused as held
	}{
		"one service":                       {[]message{register(1, ops, "a", "x")}, "a@1=x", nil},
		"registered again":                  {[]message{register(1, ops, "a", "x"), register(2, ops, "a", "y")}, "a@2=y", nil},
		"removed":                           {[]message{register(1, ops, "a", "x"), remove(2, ops, "a")}, "", nil},
		"removed and registered":            {[]message{register(1, ops, "a", "x"), remove(2, ops, "a"), register(3, ops, "a", "x")}, "a@3=x", nil},
		"removed before it was there":       {[]message{remove(1, ops, "a"), register(2, ops, "a", "x")}, "a@2=x", nil},
		"second on the same host":           {[]message{register(1, ops, "a", "x"), register(2, ops, "b", "x")}, "a@1=x", []uint64{2}},
		"wholly or not at all":              {[]message{register(1, ops, "a", "x"), register(2, ops, "b", "x", "y"), register(3, ops, "c", "y")}, "a@1=x c@3=y", []uint64{2}},
		"a refused change keeps the former": {[]message{register(1, ops, "a", "x"), register(2, ops, "b", "y"), register(3, ops, "b", "x")}, "a@1=x b@2=y", []uint64{3}},
		"a removed host goes to nobody":     {[]message{register(1, ops, "a", "x"), register(2, ops, "b", "x"), remove(3, ops, "a")}, "", []uint64{2}},
		"its rightful holder comes back":    {[]message{register(1, ops, "a", "x"), register(2, ops, "b", "x"), remove(3, ops, "a"), register(4, ops, "a", "x")}, "a@4=x", []uint64{2}},
		"a host given up is free":           {[]message{register(1, ops, "a", "x", "y"), register(2, ops, "a", "x"), register(3, ops, "b", "y")}, "a@2=x b@3=y", nil},
		"another speaker's name":            {[]message{register(1, ops, "a", "x"), register(2, prov, "a", "y")}, "a@1=x", []uint64{2}},
		"another speaker's removal":         {[]message{register(1, ops, "a", "x"), remove(2, prov, "a")}, "a@1=x", []uint64{2}},
		"the operator removes anybody's":    {[]message{register(1, prov, "a", "x"), remove(2, ops, "a")}, "", nil},
		"the operator can't take over":      {[]message{register(1, prov, "a", "x"), register(2, ops, "a", "x")}, "a@1=x", []uint64{2}},
		"a freed name is anybody's":         {[]message{register(1, prov, "a", "x"), remove(2, ops, "a"), register(3, ops, "a", "x")}, "a@3=x", nil},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			for order := range permutations(tt.said) {
				l := registry.New(rules(t))
				for _, m := range order {
					_, _ = hear(l, m)
				}
				if got := held(l); got != tt.want {
					t.Errorf("after %v: %q, want %q", order, got, tt.want)
				}
				for _, m := range order { // again: the same answers, and no change
					changes, err := hear(l, m)
					if errors.Is(err, registry.ErrHeld) != slices.Contains(tt.refused, m.sequence) || len(changes) != 0 {
						t.Errorf("after %v, again %v: changes %v, error %v", order, m, changes, err)
					}
				}
			}
		})
	}
}

// permutations yields every order of the messages.
func permutations(said []message) func(yield func([]message) bool) {
	return func(yield func([]message) bool) {
		var step func(done, left []message) bool
		step = func(done, left []message) bool {
			if len(left) == 0 {
				return yield(done)
			}
			for i := range left {
				rest := slices.Delete(slices.Clone(left), i, i+1)
				if !step(append(slices.Clone(done), left[i]), rest) {
					return false
				}
			}
			return true
		}
		step(nil, said)
	}
}

// reference is the rule in its shortest form, for messages in their order.
func reference(said []message) string {
	type service struct {
		message
	}
	live := map[string]service{}
	for _, m := range said {
		former, there := live[m.name]
		if there && former.speaker != m.speaker && !(m.hosts == nil && m.speaker == ops) {
			continue
		}
		if m.hosts == nil {
			delete(live, m.name)
			continue
		}
		free := true
		for n, s := range live {
			if n != m.name && slices.ContainsFunc(m.hosts, func(h string) bool { return slices.Contains(s.hosts, h) }) {
				free = false
			}
		}
		if free {
			live[m.name] = service{m}
		}
	}
	var out []string
	for n, s := range live {
		out = append(out, fmt.Sprintf("%s@%d=%s", n, s.sequence, strings.Join(s.hosts, "+")))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// conversation is a random set of messages in their order.
func conversation(r *rand.Rand, length int) []message {
	var out []message
	for i := range length {
		m := message{sequence: uint64(i + 1), speaker: ops, name: string(rune('a' + r.IntN(3)))}
		if r.IntN(3) == 0 {
			m.speaker = prov
		}
		if r.IntN(3) > 0 {
			m.hosts = [][]string{{"x"}, {"y"}, {"z"}, {"x", "y"}, {"y", "z"}, {"x", "y", "z"}}[r.IntN(6)]
		}
		out = append(out, m)
	}
	return out
}

// reload carries a ledger through its stored form.
func reload(t testing.TB, l *registry.Ledger, store map[string][]byte) *registry.Ledger {
	t.Helper()
	for _, e := range l.Unsaved() {
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		store[e.Key()] = raw
		l.Saved(e)
	}
	if left := l.Unsaved(); len(left) != 0 {
		t.Fatalf("unsaved after saving: %v", left)
	}
	var entries []registry.Entry
	for _, raw := range store {
		var e registry.Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return registry.New(rules(t), entries...)
}

func TestEveryOrderEndsTheSame(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		said := conversation(r, 8)
		want := reference(said)
		for range 20 {
			order := append(slices.Clone(said), said[r.IntN(len(said))]) // one comes twice
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			l, store := registry.New(rules(t)), map[string][]byte{}
			for _, m := range order {
				_, _ = hear(l, m)
				if r.IntN(4) == 0 { // a restart
					l = reload(t, l, store)
				}
			}
			if got := held(l); got != want {
				t.Fatalf("seed %d, order %v:\n got %q\nwant %q", seed, order, got, want)
			}
			if got := held(reload(t, l, store)); got != want {
				t.Fatalf("seed %d, order %v, loaded:\n got %q\nwant %q", seed, order, got, want)
			}
		}
	}
}

func TestLongConversationsAreForgottenHarmlessly(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		said := conversation(r, 300)
		l, store := registry.New(rules(t)), map[string][]byte{}
		// Neighbours change places: later than that many others comes nothing.
		for i := 0; i+2 < len(said); i += 3 {
			part := said[i : i+3]
			for _, j := range r.Perm(3) {
				_, _ = hear(l, part[j])
			}
			if got, want := held(l), reference(said[:i+3]); got != want {
				t.Fatalf("seed %d after %d messages:\n got %q\nwant %q", seed, i+3, got, want)
			}
		}
		_ = reload(t, l, store)
		for key, raw := range store {
			var e registry.Entry
			if err := json.Unmarshal(raw, &e); err != nil || len(e.Records) > 9 {
				t.Errorf("%s holds %d messages, error %v", key, len(e.Records), err)
			}
		}
	}
}

func TestChangesTellWhatHappened(t *testing.T) {
	l := registry.New(rules(t))
	steps := []struct {
		said message
		want []string
	}{
		{register(5, ops, "b", "x"), []string{"b: nothing -> 5"}},
		{register(5, ops, "b", "x"), nil},
		{register(6, ops, "b", "x"), []string{"b: 5 -> 6"}},
		{register(2, ops, "a", "x"), []string{"a: nothing -> 2", `b: 6 -> nothing, host "x.phoenix.localhost" is held by service "a", which ops registered`}},
		{remove(4, ops, "a"), []string{"a: 2 -> nothing", "b: nothing -> 6"}},
		{register(3, ops, "a", "y"), nil},
	}
	for _, s := range steps {
		changes, _ := hear(l, s.said)
		var got []string
		for _, c := range changes {
			got = append(got, render(c))
		}
		if !reflect.DeepEqual(got, s.want) {
			t.Errorf("%v:\n got %q\nwant %q", s.said, got, s.want)
		}
	}
}

func TestRefused(t *testing.T) {
	l := registry.New(rules(t))
	refused := func(name string) string {
		if err := l.Refused(name); err != nil {
			return err.Error()
		}
		return ""
	}
	_, _ = hear(l, register(2, ops, "b", "x"))
	_, _ = hear(l, register(1, ops, "a", "x"))
	if got := refused("b"); !strings.Contains(got, `held by service "a"`) {
		t.Errorf("b, which an older one displaced: %q", got)
	}
	if a, unknown := refused("a"), refused("c"); a != "" || unknown != "" {
		t.Errorf("a, which is in force: %q; c, which nobody registered: %q", a, unknown)
	}
	_, _ = hear(l, remove(3, ops, "b"))
	if got := refused("b"); got != "" {
		t.Errorf("b, which was removed: %q", got)
	}
}

func render(c registry.Change) string {
	of := func(s *registry.Service) string {
		if s == nil {
			return "nothing"
		}
		return fmt.Sprint(s.Sequence)
	}
	out := c.Name + ": " + of(c.Before) + " -> " + of(c.After)
	if c.Refused != nil {
		out += ", " + c.Refused.Error()
	}
	return out
}

func TestInvalidMessagesLeaveNothing(t *testing.T) {
	l := registry.New(rules(t))
	_, err := l.Remove(events.Meta{Speaker: ops, Sequence: 1}, events.ServiceRemoved{Name: "../x"})
	if !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("removal of a bad name: %v", err)
	}
	_, err = l.Register(events.Meta{Speaker: ops, Sequence: 2}, events.ServiceRegistered{Name: "a"})
	if !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("registration without backend: %v", err)
	}
	if left := l.Unsaved(); len(left) != 0 {
		t.Errorf("invalid messages left %v", left)
	}
}

func TestLargestEntryFitsIntoAMessage(t *testing.T) {
	ca := ""
	for cert := certificate(t); len(ca)+len(cert) < 16<<10; {
		ca += cert
	}
	label := strings.Repeat("a", 60)
	hosts := make([]string, 32)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("%s.%s.%s.h%02d.%s", label, label, label, i, domain)
	}
	l := registry.New(rules(t))
	for seq := range uint64(40) {
		m := events.ServiceRegistered{Name: "a", Hosts: hosts, URL: "https://10.0.0.5", CA: ca}
		if _, err := l.Register(events.Meta{Speaker: ops, Sequence: seq + 1}, m); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.Marshal(l.Unsaved()[0])
	if err != nil || len(raw) > events.MaxPayload-4096 {
		t.Errorf("entry has %d bytes, error %v", len(raw), err)
	}
}

func BenchmarkThousandServices(b *testing.B) {
	for b.Loop() {
		l := registry.New(rules(b))
		for i := range 1000 {
			m := message{sequence: uint64(1000 - i), speaker: ops, name: fmt.Sprintf("s%d", i), hosts: []string{fmt.Sprintf("s%d", i)}}
			if _, err := hear(l, m); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestReplay(t *testing.T) {
	a, b, c := register(1, ops, "a", "x"), register(2, ops, "b", "x"), register(3, ops, "c", "x")
	tests := map[string]struct {
		said []message
		want string
	}{
		"after the host was freed":    {[]message{a, b, remove(3, ops, "a"), replay(3, b)}, "b@2=x"},
		"while the host is held":      {[]message{a, b, replay(2, b), remove(3, ops, "a")}, ""},
		"asked for, then freed":       {[]message{a, b, replay(2, b), remove(3, ops, "a"), replay(3, b)}, "b@2=x"},
		"somebody else was faster":    {[]message{a, b, remove(3, ops, "a"), register(4, ops, "c", "x"), replay(4, b)}, "c@4=x"},
		"somebody else was slower":    {[]message{a, b, remove(3, ops, "a"), replay(3, b), register(4, ops, "c", "x")}, "b@2=x"},
		"a newer message is in force": {[]message{a, b, remove(3, ops, "a"), remove(4, ops, "b"), replay(4, b)}, ""},
		"two at once":                 {[]message{a, b, c, remove(4, ops, "a"), replay(4, c), replay(4, b)}, "b@2=x"},
		"of what is in force":         {[]message{a, replay(1, a), replay(2, a)}, "a@1=x"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			for order := range permutations(tt.said) {
				l := registry.New(rules(t))
				for _, m := range order {
					_, _ = hear(l, m)
				}
				if got := held(l); got != tt.want {
					t.Errorf("after %v: %q, want %q", order, got, tt.want)
				}
			}
		})
	}
}
