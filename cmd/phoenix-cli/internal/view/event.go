package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Event is one message of the bus as watch reports it.
type Event struct {
	Sequence uint64          `json:"sequence"`
	Time     time.Time       `json:"time"`
	Subject  string          `json:"subject"` // of two tokens
	Speaker  events.Identity `json:"speaker"` // attested by the bus
	ID       string          `json:"id"`
	Source   string          `json:"source"`
	// Data is the payload; a JSON string when it is no JSON itself.
	Data json.RawMessage `json:"data"`
}

// Payload makes raw fit for [Event.Data].
func Payload(raw []byte) json.RawMessage {
	if json.Valid(raw) {
		return raw
	}
	quoted, err := json.Marshal(strings.ToValidUTF8(string(raw), "�"))
	if err != nil {
		return json.RawMessage("null")
	}
	return quoted
}

// EventText writes the event on one line.
func EventText(w io.Writer, style Style, now time.Time, e Event) error {
	_, err := fmt.Fprintf(w, "%s  %s %s %s\n", style.Dim(clock(now, e.Time)),
		subjectStyle(style, e.Subject), style.Dim(pad(string(e.Speaker), 11)), Summary(e.Subject, e.Data))
	return err
}

// RawEvent is a message as it is stored.
type RawEvent struct {
	Sequence uint64
	Subject  string
	Header   map[string][]string
	Data     []byte
}

// RawText writes the message as it is stored: subject, headers, payload.
func RawText(w io.Writer, style Style, m RawEvent) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", style.Dim(fmt.Sprintf("#%d", m.Sequence)), style.Bold(Clean(m.Subject)))
	for _, key := range sortedKeys(m.Header) {
		for _, v := range m.Header[key] {
			fmt.Fprintf(&b, "%s %s\n", style.Dim(Clean(key)+":"), Clean(v))
		}
	}
	fmt.Fprintf(&b, "%s\n\n", Clean(string(m.Data)))
	_, err := io.WriteString(w, b.String())
	return err
}

// NearMiss says that somebody published on a subject that the bus does not
// keep, and which one was probably meant.
func NearMiss(w io.Writer, style Style, now, at time.Time, subject, meant string) error {
	_, err := fmt.Fprintf(w, "%s  %s nobody hears this subject, and it is not kept; did you mean %s?\n",
		style.Dim(clock(now, at)), style.Bad(pad(Clean(subject), 19)), meant)
	return err
}

// clock leaves the date out when it is today's.
func clock(now, t time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05.000")
	}
	return t.Format("2006-01-02 15:04:05.000")
}

func subjectStyle(style Style, subject string) string {
	text := pad(subject, 19)
	switch _, what, _ := strings.Cut(subject, "."); what {
	case "ready", "issued":
		return style.Good(text)
	case "failed", "revoked":
		return style.Bad(text)
	}
	return text
}

func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}
