package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Message is a message as the stream of events holds it.
type Message struct {
	Subject  string // as stored
	Header   map[string][]string
	Data     []byte
	Sequence uint64
	Stored   time.Time
}

// From says where in the stream to begin.
type From struct {
	Sequence uint64    // this one and later ones
	Time     time.Time // what was stored then and later
	New      bool      // what is yet to come
}

// ErrStop is returned by a visitor that has seen enough.
var ErrStop = errors.New("enough")

// Follow calls visit for each event from there on, in order and without a gap,
// also across a restart of the bus. It ends when ctx does, or with what visit
// returns; ErrStop is no error.
func (o *Operator) Follow(ctx context.Context, from From, visit func(Message) error) error {
	return o.follow(ctx, events.StreamEvents, from, visit)
}

func (o *Operator) follow(ctx context.Context, stream string, from From, visit func(Message) error) error {
	if from.New {
		last, err := o.last(ctx, stream)
		if err != nil {
			return err
		}
		from = From{Sequence: last + 1}
	}
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 50*time.Millisecond, time.Second
	for {
		err := o.consume(ctx, stream, from, func(m Message) error {
			retry.Reset()
			from = From{Sequence: m.Sequence + 1}
			return visit(m)
		})
		var visited *visitError
		switch {
		case errors.As(err, &visited):
			return visited.result()
		case ctx.Err() != nil:
			return ctx.Err()
		}
		o.log.Info("reading the bus was interrupted", "stream", stream, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry.NextBackOff()):
		}
	}
}

// last returns the sequence of the newest message of a stream.
func (o *Operator) last(ctx context.Context, stream string) (uint64, error) {
	s, err := o.bus.JetStream().Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// Stored calls visit for each event that is stored from there on, and ends
// with the last one.
func (o *Operator) Stored(ctx context.Context, from From, visit func(Message) error) error {
	cons, err := o.consumer(ctx, events.StreamEvents, from)
	if err != nil {
		return err
	}
	left := cons.CachedInfo().NumPending
	if left == 0 {
		return nil
	}
	err = pull(ctx, cons, func(m Message) error {
		if err := visit(m); err != nil {
			return err
		}
		left--
		if left == 0 {
			return ErrStop
		}
		return nil
	})
	if visited, ok := errors.AsType[*visitError](err); ok {
		return visited.result()
	}
	return err
}

// visitError carries a visitor's word through the reading of the stream.
type visitError struct{ err error }

func (e *visitError) Error() string { return e.err.Error() }

func (e *visitError) result() error {
	if errors.Is(e.err, ErrStop) {
		return nil
	}
	return e.err
}

func (o *Operator) consume(ctx context.Context, stream string, from From, visit func(Message) error) error {
	cons, err := o.consumer(ctx, stream, from)
	if err != nil {
		return err
	}
	return pull(ctx, cons, visit)
}

func (o *Operator) consumer(ctx context.Context, stream string, from From) (jetstream.Consumer, error) {
	cfg := jetstream.OrderedConsumerConfig{InactiveThreshold: time.Minute, DeliverPolicy: jetstream.DeliverAllPolicy}
	switch {
	case from.Sequence > 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, from.Sequence
	case !from.Time.IsZero():
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &from.Time
	}
	cons, err := o.bus.JetStream().OrderedConsumer(ctx, stream, cfg)
	if err != nil {
		return nil, fmt.Errorf("read the bus: %w", err)
	}
	return cons, nil
}

func pull(ctx context.Context, cons jetstream.Consumer, visit func(Message) error) error {
	messages, err := cons.Messages()
	if err != nil {
		return fmt.Errorf("read the bus: %w", err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read the bus: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read the bus: %w", err)
		}
		err = visit(Message{
			Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data(),
			Sequence: meta.Sequence.Stream, Stored: meta.Timestamp,
		})
		if err != nil {
			return &visitError{err}
		}
	}
}

// Event tells what the message says, with what a person left out filled in.
func (m Message) Event() view.Event {
	e := view.Event{
		Sequence: m.Sequence, Time: m.Stored, Subject: m.Subject, ID: m.header("ce-id"), Source: m.header("ce-source"),
		Data: view.Payload(m.Data),
	}
	if row, speaker, err := events.Split(m.Subject); err == nil {
		e.Subject, e.Speaker = row.Name(), speaker
	}
	if e.ID == "" {
		e.ID = fmt.Sprintf("%s-%d", events.StreamEvents, m.Sequence)
	}
	if e.Source == "" {
		e.Source = "/" + string(e.Speaker)
	}
	return e
}

// header returns the first value of a header, whatever its case.
func (m Message) header(key string) string {
	if v := m.Header[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}
