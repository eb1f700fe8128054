package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// replayRequest asks a consumer to read a stored message again. Nothing is
// published again in another's name.
type replayRequest struct {
	Consumer string `json:"consumer"`
	Sequence uint64 `json:"sequence"`
	// At is the last sequence of the stream of events when this was asked for:
	// the same for everybody who is asked.
	At uint64 `json:"at"`
	// Witness says that this consumer did not give the message up itself: it
	// hears it again only to go on agreeing with the one that did.
	Witness bool `json:"witness,omitempty"`
}

// Replay asks the consumer that gave the message up to handle it again, and the
// other consumers of the subject too: services that decide from the same
// messages must hear the same. Operator only. The dead letter stays until it is
// dropped.
func (b *Bus) Replay(ctx context.Context, l DeadLetter) error {
	_, row, ok := durableOwner(l.Consumer)
	if !ok {
		return fmt.Errorf("replay %s: no consumer %q", l.ID, l.Consumer)
	}
	at, err := b.lastSequence(ctx)
	if err != nil {
		return fmt.Errorf("replay %s: %w", l.ID, err)
	}
	for _, id := range row.Listeners {
		consumer := Durable(id, row.Name())
		req := replayRequest{Consumer: consumer, Sequence: l.Sequence, At: at, Witness: consumer != l.Consumer}
		if err := b.askReplay(ctx, id, req); err != nil {
			return fmt.Errorf("replay %s: %w", l.ID, err)
		}
	}
	return nil
}

func (b *Bus) askReplay(ctx context.Context, id Identity, req replayRequest) error {
	data, err := json.Marshal(req)
	if err != nil {
		return err
	}
	msg := nats.NewMsg("replay." + string(id))
	msg.Data = data
	_, err = b.send(ctx, msg)
	return err
}

// lastSequence returns the end of the stream of events. Operator only.
func (b *Bus) lastSequence(ctx context.Context) (uint64, error) {
	stream, err := b.js.Stream(ctx, StreamEvents)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", StreamEvents, err)
	}
	return stream.CachedInfo().State.LastSeq, nil
}

// Replays returns the worker that answers wishes to replay for the given
// workers of b. A service runs it beside them.
func Replays(b *Bus, workers ...Worker) Worker {
	r := &replayer{bus: b, by: map[string]*worker{}}
	for _, w := range workers {
		if w, ok := w.(*worker); ok {
			r.by[Durable(b.identity, w.subject)] = w
		}
	}
	return r
}

type replayer struct {
	bus *Bus
	by  map[string]*worker
}

// Run implements Worker.
func (r *replayer) Run(ctx context.Context) error {
	retry := newBackOff()
	for ctx.Err() == nil {
		err := r.consume(ctx)
		if ctx.Err() != nil {
			return nil
		}
		r.bus.log.Warn("replay consumer interrupted", "err", err)
		if wait(ctx, retry.NextBackOff()) != nil {
			return nil
		}
	}
	return nil
}

func (r *replayer) consume(ctx context.Context) error {
	cons, err := r.bus.js.Consumer(ctx, StreamReplays, replayDurable(r.bus.identity))
	if err != nil {
		return fmt.Errorf("look up consumer %s: %w", replayDurable(r.bus.identity), err)
	}
	messages, err := cons.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return fmt.Errorf("pull wishes to replay: %w", err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next wish to replay: %w", err)
		}
		r.settle(context.WithoutCancel(ctx), msg)
	}
}

// settle replays once: a handler that fails leaves a dead letter again.
func (r *replayer) settle(ctx context.Context, msg jetstream.Msg) {
	ctx, cancel := context.WithTimeout(ctx, handleFor)
	defer cancel()
	if err := r.replay(ctx, msg); err != nil {
		r.bus.log.Warn("replay", "err", err)
	}
	r.bus.acknowledge(ctx, msg, r.bus.log)
}

func (r *replayer) replay(ctx context.Context, msg jetstream.Msg) error {
	var req replayRequest
	if err := json.Unmarshal(msg.Data(), &req); err != nil {
		return fmt.Errorf("read the wish: %w", err)
	}
	w, ok := r.by[req.Consumer]
	if !ok {
		return fmt.Errorf("consumer %q is not here", req.Consumer)
	}
	m, err := r.bus.storedEvent(ctx, req.Sequence)
	if err != nil {
		return fmt.Errorf("read message %d: %w", req.Sequence, err)
	}
	row, _, err := Split(m.Subject)
	if err != nil || row.Name() != w.subject {
		return fmt.Errorf("message %d is on %q, not for consumer %s", req.Sequence, m.Subject, req.Consumer)
	}
	wish, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("read the wish: %w", err)
	}
	m.Deliveries, m.ReplayedAt, m.Wish = 1, req.At, wish.Sequence.Stream
	err = w.process(ctx, msg, m)
	if err == nil || req.Witness {
		return err
	}
	return errors.Join(err, r.bus.bury(ctx, req.Consumer, m, err))
}
