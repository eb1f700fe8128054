package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// DeadLetter says that a consumer gave a message up, and why. The message
// itself stays where it was: replaying reads it there again.
type DeadLetter struct {
	ID         string    `json:"id"` // <stream>-<sequence>-<consumer>
	Subject    string    `json:"subject"`
	Consumer   string    `json:"consumer"`
	Reason     string    `json:"reason"`
	Deliveries uint64    `json:"deliveries"`
	Time       time.Time `json:"time"`
	Stream     string    `json:"stream"`
	Sequence   uint64    `json:"sequence"`
}

// DeadLetterID returns the id of the dead letter of a consumer for a message.
func DeadLetterID(sequence uint64, consumer string) string {
	return StreamEvents + "-" + strconv.FormatUint(sequence, 10) + "-" + consumer
}

const maxReason = 1 << 10

// reasonOf is one line of at most 1 KiB.
func reasonOf(err error) string {
	out := make([]rune, 0, 128)
	for _, r := range err.Error() {
		if r < ' ' {
			r = ' '
		}
		if out = append(out, r); len(out) == maxReason {
			break
		}
	}
	return string(out)
}

// bury publishes the dead letter of m before the consumer terminates it.
func (b *Bus) bury(ctx context.Context, durable string, m raw, reason error) error {
	letter := DeadLetter{
		ID: DeadLetterID(m.Sequence, durable), Subject: m.Subject, Consumer: durable, Reason: reasonOf(reason),
		Deliveries: m.Deliveries, Time: time.Now().UTC(), Stream: StreamEvents, Sequence: m.Sequence,
	}
	data, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("dead letter %s: %w", letter.ID, err)
	}
	msg := nats.NewMsg("deadletter." + string(b.identity))
	msg.Header.Set(jetstream.MsgIDHeader, burialID(letter.ID, m.Wish))
	msg.Data = data
	if _, err := b.send(ctx, msg); err != nil {
		return fmt.Errorf("dead letter %s: %w", letter.ID, err)
	}
	return nil
}

// burialID is the message id of a dead letter: one for each time that the
// message was given up, so that a replay in vain is told although the former
// dead letter was dropped a moment ago.
func burialID(letter string, wish uint64) string {
	if wish == 0 {
		return letter
	}
	return letter + "/replay-" + strconv.FormatUint(wish, 10)
}

// StoredDeadLetter is a dead letter with its place in the stream.
type StoredDeadLetter struct {
	DeadLetter
	Place uint64 `json:"-"` // sequence in the stream of dead letters
}

// DeadLetters lists all dead letters, oldest first. Operator only.
func (b *Bus) DeadLetters(ctx context.Context) ([]StoredDeadLetter, error) {
	var out []StoredDeadLetter
	err := b.scan(ctx, StreamDeadLetters, ">", func(m *jetstream.RawStreamMsg) error {
		var l DeadLetter
		if err := json.Unmarshal(m.Data, &l); err != nil {
			return fmt.Errorf("dead letter at %d: %w", m.Sequence, err)
		}
		out = append(out, StoredDeadLetter{DeadLetter: l, Place: m.Sequence})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return out, nil
}

// DropDeadLetter removes a dead letter. Operator only.
func (b *Bus) DropDeadLetter(ctx context.Context, l StoredDeadLetter) error {
	stream, err := b.js.Stream(ctx, StreamDeadLetters)
	if err != nil {
		return fmt.Errorf("drop dead letter %s: %w", l.ID, err)
	}
	if err := stream.DeleteMsg(ctx, l.Place); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("drop dead letter %s: %w", l.ID, err)
	}
	return nil
}

// Original returns the message that a dead letter is about, as it was stored.
// Operator only.
func (b *Bus) Original(ctx context.Context, l DeadLetter) (header nats.Header, data []byte, err error) {
	m, err := b.storedEvent(ctx, l.Sequence)
	if err != nil {
		return nil, nil, fmt.Errorf("read message %d: %w", l.Sequence, err)
	}
	return m.Header, m.Data, nil
}
