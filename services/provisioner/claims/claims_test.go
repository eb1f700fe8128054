package claims

import (
	"reflect"
	"slices"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/config"
)

// stack returns a configuration of services: name → hosts.
func stack(services map[string][]string) config.Stack {
	s := config.Default()
	for name, hosts := range services {
		s.Services = append(s.Services, config.Service{Name: name, Hosts: hosts, URL: "http://127.17.1.200:10001"})
	}
	return s
}

// plan returns the plan of a second run over what the first one registered.
func plan(t *testing.T, before, after map[string][]string) Plan {
	t.Helper()
	first, err := New(nil, nil, stack(before), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(first.Record, all(first.Record), stack(after), "home-2")
	if err != nil {
		t.Fatal(err)
	}
	return second
}

// all says that everything in the record is held.
func all(r Record) map[string]bool {
	out := map[string]bool{}
	for name := range r {
		out[name] = true
	}
	return out
}

func removed(p Plan) []string {
	var out []string
	for _, r := range p.Remove {
		out = append(out, r.Name)
	}
	return out
}

func registered(p Plan) []string {
	var out []string
	for _, r := range p.Register {
		out = append(out, r.Name)
	}
	return out
}

func TestPlan(t *testing.T) {
	type services = map[string][]string
	tests := []struct {
		name               string
		before, after      services
		removed, registers []string
		changed            int
	}{
		{"from nothing", nil, services{"a": nil, "b": nil}, nil, []string{"a", "b"}, 2},
		{"nothing new", services{"a": nil}, services{"a": nil}, nil, nil, 0},
		{"one new", services{"a": nil}, services{"a": nil, "b": nil}, nil, []string{"b"}, 1},
		{"one gone", services{"a": nil, "b": nil}, services{"a": nil}, []string{"b"}, nil, 1},
		{"one changed", services{"a": nil}, services{"a": {"x.phoenix.localhost"}}, nil, []string{"a"}, 1},
		{
			"a host goes to a new service",
			services{"a": {"x.phoenix.localhost"}},
			services{"a": nil, "b": {"x.phoenix.localhost"}},
			[]string{"a"}, []string{"a", "b"}, 2,
		},
		{
			"two swap hosts",
			services{"a": {"x.phoenix.localhost"}, "b": {"y.phoenix.localhost"}},
			services{"a": {"y.phoenix.localhost"}, "b": {"x.phoenix.localhost"}},
			[]string{"a", "b"},
			[]string{"a", "b"},
			2,
		},
		{
			"a default host goes to another service",
			services{"a": nil},
			services{"b": {"a.phoenix.localhost"}},
			[]string{"a"}, []string{"b"}, 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, tt.before, tt.after)
			if got := removed(p); !slices.Equal(got, tt.removed) {
				t.Errorf("removed %v, want %v", got, tt.removed)
			}
			if got := registered(p); !slices.Equal(got, tt.registers) {
				t.Errorf("registered %v, want %v", got, tt.registers)
			}
			if p.Changed != tt.changed {
				t.Errorf("%d changes, want %d", p.Changed, tt.changed)
			}
			if len(p.Record) != len(tt.after) {
				t.Errorf("record has %d services, want %d", len(p.Record), len(tt.after))
			}
		})
	}
}

func TestUnsureIsSaidAgain(t *testing.T) {
	first, err := New(nil, nil, stack(map[string][]string{"a": nil}), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(first.Unsure(nil), all(first.Record), stack(map[string][]string{"a": nil}), "home-1")
	if err != nil || !slices.Equal(registered(again), []string{"a"}) {
		t.Errorf("registered %v, %v, want a", registered(again), err)
	}
	if !reflect.DeepEqual(again.Record, first.Record) {
		t.Errorf("record is %v, want %v", again.Record, first.Record)
	}
}

func TestWhatIsNotHeldAnyMoreIsRegisteredAgain(t *testing.T) {
	wanted := stack(map[string][]string{"a": nil, "b": nil})
	first, err := New(nil, nil, wanted, "home-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(first.Record, map[string]bool{"b": true}, wanted, "home-2")
	if err != nil || !slices.Equal(registered(again), []string{"a"}) || again.Changed != 1 {
		t.Errorf("registered %v, %d changes, %v, want a", registered(again), again.Changed, err)
	}
}

func TestWithdraw(t *testing.T) {
	record := plan(t, map[string][]string{"a": nil}, map[string][]string{"a": {"x.phoenix.localhost"}, "b": nil}).Record
	for _, tt := range []struct {
		runs []string
		want []string
	}{
		{[]string{"home-2"}, []string{"b"}}, // a was changed by the run, and was there before
		{[]string{"home-3"}, nil},
		{nil, []string{"a", "b"}},
	} {
		p := Withdraw(record, tt.runs)
		if got := removed(p); !slices.Equal(got, tt.want) || p.Changed != len(tt.want) {
			t.Errorf("runs %v: removed %v (%d), want %v", tt.runs, got, p.Changed, tt.want)
		}
		if len(p.Record) != len(record)-len(tt.want) {
			t.Errorf("runs %v: record has %d services left", tt.runs, len(p.Record))
		}
	}
}
