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
}

// Replay asks the consumer that gave the message up to handle it again.
// Operator only. The dead letter stays until it is dropped.
func (b *Bus) Replay(ctx context.Context, l DeadLetter) error {
	owner, _, ok := durableOwner(l.Consumer)
	if !ok {
		return fmt.Errorf("replay %s: no consumer %q", l.ID, l.Consumer)
	}
	data, err := json.Marshal(replayRequest{Consumer: l.Consumer, Sequence: l.Sequence})
	if err != nil {
		return fmt.Errorf("replay %s: %w", l.ID, err)
	}
	msg := nats.NewMsg("replay." + string(owner))
	msg.Data = data
	if _, err := b.send(ctx, msg); err != nil {
		return fmt.Errorf("replay %s: %w", l.ID, err)
	}
	return nil
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
	if err := msg.DoubleAck(ctx); err != nil {
		r.bus.log.Warn("acknowledge replay", "err", err)
	}
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
	m.Deliveries = 1
	if err := w.process(ctx, msg, m); err != nil {
		return errors.Join(err, r.bus.bury(ctx, req.Consumer, m, err))
	}
	return nil
}
