package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Handler answers one event. nil settles it; [Invalid] makes it a dead letter;
// any other error has it delivered again later. It must be idempotent: an event
// may come twice, late, or after a newer one. While it runs, the bus is told
// that work goes on.
type Handler[T Payload] func(ctx context.Context, e Event[T]) error

// Worker consumes until ctx ends. A handler that runs then is let finish.
type Worker interface {
	Run(ctx context.Context) error
}

// On binds h to the durable consumer that b's identity has for T's subject.
// Events are handled one after the other.
func On[T Payload](b *Bus, h Handler[T]) Worker {
	var zero T
	return &worker{bus: b, subject: zero.Subject(), handle: func(ctx context.Context, m raw) error {
		e, err := decode[T](m)
		if err != nil {
			return Invalid(&unreadableError{err})
		}
		return h(ctx, e)
	}}
}

// handleFor bounds one handler: what takes longer belongs to a reconciler.
const handleFor = 2 * time.Minute

type worker struct {
	bus     *Bus
	subject string
	handle  func(context.Context, raw) error
}

// Run implements Worker. It consumes the subject and wishes to replay it.
func (w *worker) Run(ctx context.Context) error {
	durable := Durable(w.bus.identity, w.subject)
	retry := newBackOff()
	for ctx.Err() == nil {
		err := w.consume(ctx, durable, retry.Reset)
		if ctx.Err() != nil {
			return nil
		}
		w.bus.log.Warn("consumer interrupted", "consumer", durable, "err", err)
		if wait(ctx, retry.NextBackOff()) != nil {
			return nil
		}
	}
	return nil
}

// consume pulls from the durable consumer until something breaks or ctx ends.
func (w *worker) consume(ctx context.Context, durable string, healthy func()) error {
	cons, err := w.bus.js.Consumer(ctx, StreamEvents, durable)
	if err != nil {
		return fmt.Errorf("look up consumer %s: %w", durable, err)
	}
	// One message a pull: a message without headers and payload ends the series
	// of answers that comes through a service import, so whatever else the same
	// pull asked for would be late by a heartbeat.
	messages, err := cons.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return fmt.Errorf("pull from %s: %w", durable, err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next message of %s: %w", durable, err)
		}
		healthy()
		w.settle(ctx, durable, msg)
	}
}

// settle runs the handler and sorts its result into one of three fates. A
// signal ends intake, not a half-done handler.
func (w *worker) settle(ctx context.Context, durable string, msg jetstream.Msg) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handleFor)
	defer cancel()
	m, err := rawOf(msg)
	if err != nil {
		w.bus.log.Error("message without metadata", "consumer", durable, "err", err)
		return
	}
	start := time.Now()
	err = w.process(ctx, msg, m)
	fate := w.fateOf(ctx, durable, msg, m, err)
	w.bus.observe(Outcome{Subject: w.subject, Fate: fate, Took: time.Since(start), Redelivered: m.Deliveries > 1})
}

func (w *worker) process(ctx context.Context, msg jetstream.Msg, m raw) error {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(m.Header))
	ctx, span := w.bus.tracer.Start(ctx, "handle "+w.subject, trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.Int64("phoenix.sequence", int64(min(m.Sequence, 1<<62)))))
	defer span.End()
	stop := keepAlive(ctx, msg)
	defer stop()
	err := w.handle(ctx, m)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}

func (w *worker) fateOf(ctx context.Context, durable string, msg jetstream.Msg, m raw, err error) Fate {
	log := w.bus.log.With("subject", m.Subject, "sequence", m.Sequence, "deliveries", m.Deliveries)
	if err == nil {
		w.bus.acknowledge(ctx, msg, log)
		return Handled
	}
	last := m.Deliveries >= MaxDeliver
	if !IsInvalid(err) && !last {
		log.Info("handler asks for later", "err", err)
		if err := msg.NakWithDelay(redeliverAfter(m.Deliveries)); err != nil {
			log.Warn("ask for redelivery", "err", err)
		}
		return Delayed
	}
	log.Warn("dead letter", "reason", err)
	if !w.leftToAnother(err) {
		if err := w.bus.bury(ctx, durable, m, err); err != nil {
			log.Error("publish dead letter; the message stays", "err", err)
			return Delayed
		}
	}
	if err := msg.TermWithReason(reasonOf(err)); err != nil {
		log.Warn("terminate", "err", err)
	}
	return Dead
}

// leftToAnother says whether another listener makes the dead letter: each of
// them finds a message unreadable, and one letter is enough.
func (w *worker) leftToAnother(err error) bool {
	var unreadable *unreadableError
	row, ok := ByName(w.subject)
	return errors.As(err, &unreadable) && ok && len(row.Listeners) > 0 && row.Listeners[0] != w.bus.identity
}

// ackFor bounds the wait for the bus's word that it knows of an
// acknowledgement. A bus that restarts meanwhile never answers: then the
// message comes again, which handlers are made for.
const ackFor = 3 * time.Second

func (b *Bus) acknowledge(ctx context.Context, msg jetstream.Msg, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, ackFor)
	defer cancel()
	if err := msg.DoubleAck(ctx); err != nil {
		log.Warn("acknowledge", "err", err)
	}
}

// keepAlive tells the bus that work goes on, every third of the ack wait,
// until the returned function is called.
func keepAlive(ctx context.Context, msg jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for wait(ctx, AckWait/3) == nil {
			if msg.InProgress() != nil {
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func rawOf(msg jetstream.Msg) (raw, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return raw{}, err
	}
	header := msg.Headers()
	if header == nil {
		header = nats.Header{}
	}
	return raw{
		Subject: msg.Subject(), Header: header, Data: msg.Data(),
		Sequence: meta.Sequence.Stream, Deliveries: meta.NumDelivered, Stored: meta.Timestamp,
	}, nil
}
