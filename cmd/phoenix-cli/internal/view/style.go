package view

import "github.com/phoenix-platform/phoenix/pkg/events"

// Style decides whether text is coloured.
type Style struct{ Color bool }

// Good colours what is as it should be.
func (s Style) Good(text string) string { return s.paint("32", text) }

// Busy colours what is under way.
func (s Style) Busy(text string) string { return s.paint("33", text) }

// Bad colours what went wrong.
func (s Style) Bad(text string) string { return s.paint("31", text) }

// Dim colours what matters less.
func (s Style) Dim(text string) string { return s.paint("2", text) }

// Bold colours what matters more.
func (s Style) Bold(text string) string { return s.paint("1", text) }

// State colours the name of a state.
func (s Style) State(state events.State) string {
	text := string(state)
	switch state {
	case events.StateReady:
		return s.Good(text)
	case events.StateFailed:
		return s.Bad(text)
	case events.StateStarting, events.StatePending, events.StateStopping, events.StateDegraded:
		return s.Busy(text)
	}
	return text
}

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
