package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Meta is what is known of a message besides its payload.
type Meta struct {
	ID         string    // CloudEvents id, or "<stream>-<sequence>"
	Source     string    // CloudEvents source, or "/<speaker>"
	Time       time.Time // CloudEvents time, or when the bus stored it
	Subject    string    // literal subject of two tokens
	Speaker    Identity  // attested by the server
	Sequence   uint64    // in the stream of events
	Deliveries int       // 1 at the first
	// ReplayedAt is 0, or the last sequence of the stream of events when the
	// operator asked for this message to be handled again. Whoever judges
	// messages in their order takes it for the message's place.
	ReplayedAt uint64
}

// Event is a message with its payload decoded.
type Event[T Payload] struct {
	Meta
	Data T
}

// RunID names the run that answers the stack.requested stored with that
// sequence.
func RunID(stack string, sequence uint64) string {
	return stack + "-" + strconv.FormatUint(sequence, 10)
}

// raw is a stored message before its payload is looked at.
type raw struct {
	Subject    string // as stored
	Header     nats.Header
	Data       []byte
	Sequence   uint64
	Deliveries uint64
	Stored     time.Time
	ReplayedAt uint64
	// Wish is the sequence of the wish to replay that this delivery answers; 0
	// for an ordinary delivery.
	Wish uint64
}

// Validator is a payload that knows which of its values are in range.
type Validator interface {
	Validate() error
}

// decode turns a stored message into an event. What a person left out of the
// headers is filled in; unknown fields are ignored. Every error is permanent.
func decode[T Payload](m raw) (Event[T], error) {
	var e Event[T]
	row, speaker, err := Split(m.Subject)
	if err != nil {
		return e, err
	}
	e.Meta = metaOf(m, row.Name(), speaker)
	if err := checkVersion(m.Header, row.Name()); err != nil {
		return e, err
	}
	if err := json.Unmarshal(m.Data, &e.Data); err != nil {
		return e, fmt.Errorf("payload is not valid: %w", err)
	}
	if v, ok := any(e.Data).(Validator); ok {
		if err := v.Validate(); err != nil {
			return e, fmt.Errorf("payload is not valid: %w", err)
		}
	}
	return e, nil
}

func metaOf(m raw, subject string, speaker Identity) Meta {
	meta := Meta{
		ID: m.Header.Get(headerID), Source: m.Header.Get(headerSource), Time: m.Stored,
		Subject: subject, Speaker: speaker, Sequence: m.Sequence, Deliveries: int(min(m.Deliveries, 1<<31-1)),
		ReplayedAt: m.ReplayedAt,
	}
	if meta.ID == "" {
		meta.ID = StreamEvents + "-" + strconv.FormatUint(m.Sequence, 10)
	}
	if meta.Source == "" {
		meta.Source = "/" + string(speaker)
	}
	if t, err := time.Parse(time.RFC3339, m.Header.Get(headerTime)); err == nil {
		meta.Time = t
	}
	return meta
}
