package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// Status is what the status command reports.
type Status struct {
	Stack      string       `json:"stack"`
	State      events.State `json:"state"`
	Run        string       `json:"run"`
	Address    string       `json:"address"`
	CA         CA           `json:"ca"`
	Containers []Container  `json:"containers"`
	Services   []Service    `json:"services"`
	Domain     string       `json:"domain,omitempty"`
	Step       string       `json:"step,omitempty"`
	Reason     string       `json:"reason,omitempty"`
}

// CA is the stack's certificate authority.
type CA struct {
	URL             string `json:"url"`
	ACMEDirectory   string `json:"acme_directory"`
	RootFingerprint string `json:"root_fingerprint"`
}

// Container is one container of the stack.
type Container struct {
	ID      int          `json:"id"`
	Role    events.Role  `json:"role"`
	Name    string       `json:"name"`
	Address string       `json:"address"`
	Driver  string       `json:"driver"`
	State   events.State `json:"state"`
	Reason  string       `json:"reason,omitempty"`
}

// NewStatus joins the facts into one report. A stack that says ready while one
// of its parts is not is degraded.
func NewStatus(stack string, f Facts) Status {
	out := Status{
		Stack: stack, State: cmp.Or(f.Stack.State, events.StateAbsent), Run: f.Stack.Run, Address: f.Stack.Address,
		Domain: f.Stack.Domain, Step: f.Stack.Step, Reason: f.Stack.Reason,
		CA:         CA{URL: f.CA.URL, ACMEDirectory: f.CA.ACMEDirectory, RootFingerprint: f.CA.RootFingerprint},
		Containers: containers(f.Containers), Services: []Service{},
	}
	if out.State == events.StateAbsent {
		return out
	}
	out.Services = Services(f)
	if out.State == events.StateReady {
		out.State, out.Reason = degraded(f, out)
	}
	return out
}

// degraded looks for what keeps a ready stack from being whole. A service that
// is still pending does not: the stack itself is well.
func degraded(f Facts, s Status) (events.State, string) {
	if !f.Alive {
		return events.StateDegraded, "the host of the stack does not answer"
	}
	for _, u := range f.Units {
		if u.State == unit.Failed {
			return events.StateDegraded, fmt.Sprintf("unit %s keeps failing (%s); its log is %s", u.Name, u.LastExit, u.Log)
		}
	}
	for _, c := range s.Containers {
		if c.State != events.StateReady {
			return events.StateDegraded, fmt.Sprintf("container %d (%s) is %s", c.ID, c.Role, c.State)
		}
	}
	for _, v := range s.Services {
		if v.State == events.StateFailed || v.State == events.StateDegraded {
			return events.StateDegraded, fmt.Sprintf("service %s is %s", v.Name, v.State)
		}
	}
	return s.State, s.Reason
}

func containers(list []events.ContainerState) []Container {
	out := make([]Container, 0, len(list))
	for _, c := range list {
		out = append(out, Container{
			ID: c.ID, Role: c.Role, Name: c.Name, Address: c.Address, Driver: c.Driver, State: c.State, Reason: c.Reason,
		})
	}
	slices.SortFunc(out, func(a, b Container) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Text writes the status for people.
func (s Status) Text(w io.Writer, style Style, f Facts) error {
	if s.State == events.StateAbsent {
		_, err := fmt.Fprintf(w, "%s  %s\nNothing runs. Bring it up: phoenix-cli up\n", style.Bold(s.Stack), s.State)
		return err
	}
	if err := s.head(w, style, f); err != nil || len(s.Containers)+len(s.Services) == 0 {
		return err
	}
	if err := s.containersText(w, style); err != nil {
		return err
	}
	return ServicesText(w, style, f.Now, s.Services)
}

func (s Status) containersText(w io.Writer, style Style) error {
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	t := NewTable(style, "CONTAINER", "ROLE", "NAME", "ADDRESS", "DRIVER", "STATE")
	for _, c := range s.Containers {
		t.Row(strconv.Itoa(c.ID), string(c.Role), Clean(c.Name), c.Address, c.Driver, style.State(c.State))
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	for _, c := range s.Containers {
		if c.Reason != "" {
			if _, err := fmt.Fprintf(w, "%s container %d: %s\n", style.State(c.State), c.ID, Clean(c.Reason)); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s Status) head(w io.Writer, style Style, f Facts) error {
	t := NewTable(Style{}, style.Bold(s.Stack), style.State(s.State)+since(f))
	for _, row := range [][2]string{
		{"step", s.Step}, {"because", s.Reason}, {"open", s.Address}, {"CA", s.CA.URL},
		{"root", s.CA.RootFingerprint}, {"run", s.Run},
	} {
		if row[1] != "" {
			t.Row(style.Dim(row[0]), Clean(row[1]))
		}
	}
	_, err := t.WriteTo(w)
	return err
}

func since(f Facts) string {
	if f.Stack.Since.IsZero() {
		return ""
	}
	return ", since " + Duration(f.Now.Sub(f.Stack.Since))
}
