package view

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// DeadLetter is a message that a consumer gave up.
type DeadLetter struct {
	ID         string    `json:"id"`
	Subject    string    `json:"subject"`
	Consumer   string    `json:"consumer"`
	Reason     string    `json:"reason"`
	Deliveries uint64    `json:"deliveries"`
	Time       time.Time `json:"time"`
	Sequence   uint64    `json:"sequence"`
}

// DeadLetters returns the dead letters, the newest last.
func DeadLetters(list []events.DeadLetter) []DeadLetter {
	out := make([]DeadLetter, 0, len(list))
	for _, l := range list {
		out = append(out, deadLetterOf(l))
	}
	slices.SortStableFunc(out, func(a, b DeadLetter) int { return a.Time.Compare(b.Time) })
	return out
}

func deadLetterOf(l events.DeadLetter) DeadLetter {
	return DeadLetter{
		ID: l.ID, Subject: l.Subject, Consumer: l.Consumer, Reason: l.Reason,
		Deliveries: l.Deliveries, Time: l.Time, Sequence: l.Sequence,
	}
}

// DeadLettersText writes the dead letters as a table.
func DeadLettersText(w io.Writer, style Style, now time.Time, letters []DeadLetter) error {
	if len(letters) == 0 {
		_, err := io.WriteString(w, "No dead letters.\n")
		return err
	}
	t := NewTable(style, "ID", "AGE", "TRIES", "REASON")
	for _, l := range letters {
		t.Row(Clean(l.ID), Duration(now.Sub(l.Time)), strconv.FormatUint(l.Deliveries, 10), short(Clean(l.Reason), 120))
	}
	_, err := t.WriteTo(w)
	return err
}

// DeadLetterDetail is one dead letter with the message that it is about.
type DeadLetterDetail struct {
	DeadLetter
	Header  map[string][]string `json:"header"`
	Payload string              `json:"payload"`
	// Missing says that the bus does not hold the message any more.
	Missing bool `json:"missing,omitempty"`
}

// NewDeadLetterDetail joins a dead letter and its message.
func NewDeadLetterDetail(l events.DeadLetter, header map[string][]string, payload []byte) DeadLetterDetail {
	if header == nil {
		header = map[string][]string{}
	}
	return DeadLetterDetail{DeadLetter: deadLetterOf(l), Header: header, Payload: string(payload)}
}

// maxShown is how much of a payload people are shown.
const maxShown = 4 << 10

// Text writes everything about the dead letter.
func (d DeadLetterDetail) Text(w io.Writer, style Style) error {
	t := NewTable(Style{}, style.Dim("id"), Clean(d.ID))
	for _, row := range [][2]string{
		{"subject", d.Subject}, {"consumer", d.Consumer}, {"reason", d.Reason},
		{"tries", strconv.FormatUint(d.Deliveries, 10)}, {"given up", d.Time.Format(time.RFC3339)},
	} {
		t.Row(style.Dim(row[0]), Clean(row[1]))
	}
	for _, key := range sortedKeys(d.Header) {
		for _, value := range d.Header[key] {
			t.Row(style.Dim(Clean(key)), Clean(value))
		}
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	if d.Missing {
		_, err := fmt.Fprintln(w, "\nThe bus does not hold the message any more: it can't be replayed.")
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", shownPayload(d.Payload))
	return err
}

// shownPayload indents JSON and cuts what is too long to read.
func shownPayload(payload string) string {
	cut := payload
	if len(cut) > maxShown {
		return Clean(cut[:maxShown]) + fmt.Sprintf("\n… %d of %d bytes shown; -o json has all", maxShown, len(payload))
	}
	var v any
	if err := json.Unmarshal([]byte(payload), &v); err != nil {
		return Clean(cut)
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return Clean(cut)
	}
	return escape(string(pretty))
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
