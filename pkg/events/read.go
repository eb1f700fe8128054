package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// scanBatch is how many messages one direct get asks for.
const scanBatch = 256

// errCut says that an answer ended before the server said that there is no more.
var errCut = errors.New("the answer was cut short")

// scan calls visit for every message of a stream whose subject matches filter,
// in the order of their sequence, by direct gets. It ends well only when the
// server says that nothing is left.
func (b *Bus) scan(ctx context.Context, stream, filter string, visit func(*jetstream.RawStreamMsg) error) error {
	for from := uint64(1); ; {
		last, err := b.scanFrom(ctx, stream, filter, from, visit)
		switch {
		case errors.Is(err, jetstreamext.ErrNoMessages):
			return nil
		case err != nil:
			return fmt.Errorf("read stream %s from %d: %w", stream, from, err)
		}
		from = last + 1
	}
}

// scanFrom visits one batch and returns the last sequence in it.
func (b *Bus) scanFrom(ctx context.Context, stream, filter string, from uint64, visit func(*jetstream.RawStreamMsg) error) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	batch, err := jetstreamext.GetBatch(ctx, b.js, stream, scanBatch,
		jetstreamext.GetBatchSubject(filter), jetstreamext.GetBatchSeq(from))
	if err != nil {
		return 0, err
	}
	var last uint64
	for m, err := range batch {
		if err != nil {
			return 0, err
		}
		if err := visit(m); err != nil {
			return 0, err
		}
		last = m.Sequence
	}
	if last == 0 {
		return 0, errCut
	}
	return last, nil
}

// storedEvent reads one message of the stream of events, or ErrNotFound.
func (b *Bus) storedEvent(ctx context.Context, seq uint64) (raw, error) {
	batch, err := jetstreamext.GetBatch(ctx, b.js, StreamEvents, 1, jetstreamext.GetBatchSeq(seq))
	if err != nil {
		return raw{}, err
	}
	for m, err := range batch {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			break
		}
		if err != nil {
			return raw{}, err
		}
		if m.Sequence == seq {
			return raw{Subject: m.Subject, Header: m.Header, Data: m.Data, Sequence: seq, Stored: m.Time}, nil
		}
	}
	return raw{}, ErrNotFound
}
