package view

import (
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func letters() []events.DeadLetter {
	letter := func(seq uint64, age time.Duration, reason string) events.DeadLetter {
		consumer := events.Durable(events.Proxyconf, "service.registered")
		return events.DeadLetter{
			ID: events.DeadLetterID(seq, consumer), Subject: "service.registered.ops", Consumer: consumer,
			Reason: reason, Deliveries: 1, Time: now().Add(-age), Stream: events.StreamEvents, Sequence: seq,
		}
	}
	return []events.DeadLetter{
		letter(9, time.Minute, `host "x;y" is not a name`),
		letter(7, 3*time.Hour, "payload is not valid: "+strings.Repeat("x", 300)+"\x1b]0;title\a"),
	}
}

func TestDeadLetters(t *testing.T) {
	list := DeadLetters(letters())
	golden.Equal(t, "deadletters.txt", both(t, list, func(b *strings.Builder) error {
		return DeadLettersText(b, Style{}, now(), list)
	}))
	none := DeadLetters(nil)
	golden.Equal(t, "deadletters-none.txt", both(t, none, func(b *strings.Builder) error {
		return DeadLettersText(b, Style{}, now(), none)
	}))
}

func TestDeadLetterDetail(t *testing.T) {
	header := map[string][]string{"ce-id": {"ops/service.registered/1"}, "X-Evil": {"a\r\nb"}}
	tests := map[string]DeadLetterDetail{
		"json":    NewDeadLetterDetail(letters()[0], header, []byte(`{"name":"grafana","note":"`+"\u009b"+`31m"}`)),
		"broken":  NewDeadLetterDetail(letters()[0], nil, []byte("{\"name\"\x00:")),
		"long":    NewDeadLetterDetail(letters()[0], nil, []byte(strings.Repeat("[", 20_000))),
		"missing": {DeadLetter: deadLetterOf(letters()[0]), Missing: true},
	}
	for name, d := range tests {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := d.Text(&b, Style{}); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, "deadletter-"+name+".txt", b.String())
		})
	}
}
