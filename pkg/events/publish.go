package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// publishFor bounds one publish with its retries. A three-node bus that loses
// its leader answers again after up to ten seconds.
const publishFor = 20 * time.Second

// Ack is the bus's word that a message is on disk.
type Ack struct {
	Sequence  uint64
	Duplicate bool // the same message was there already
}

// PublishOption changes how one message is published.
type PublishOption func(*publication)

type publication struct{ key string }

// WithKey makes the message's id stable: publishing the same fact under the
// same key again stores nothing. The id is <identity>/<subject>/<key>.
func WithKey(key string) PublishOption {
	return func(p *publication) { p.key = key }
}

// Publish says p and returns when the bus has it on disk. It retries with the
// same id until the bus answers, ctx ends, or 20 seconds have passed.
func (b *Bus) Publish(ctx context.Context, p Payload, opts ...PublishOption) (Ack, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return Ack{}, fmt.Errorf("publish %s: %w", p.Subject(), err)
	}
	pub := publication{key: nuid.Next()}
	for _, o := range opts {
		o(&pub)
	}
	ctx, span := b.tracer.Start(ctx, "publish "+p.Subject(), trace.WithSpanKind(trace.SpanKindProducer))
	defer span.End()
	ack, err := b.publishOnce(ctx, p.Subject(), pub.key, data)
	if err != nil {
		span.RecordError(err)
		return Ack{}, fmt.Errorf("publish %s: %w", p.Subject(), err)
	}
	span.SetAttributes(attribute.Int64("phoenix.sequence", int64(min(ack.Sequence, 1<<62))))
	return ack, nil
}

// publishOnce publishes under the key, and makes sure that an answer of
// "duplicate" means this very message: ids are shared by the whole stream, so
// whoever guesses one could suppress a fact.
func (b *Bus) publishOnce(ctx context.Context, subject, key string, data []byte) (Ack, error) {
	msg := b.message(ctx, subject, key, data)
	ack, err := b.send(ctx, msg)
	if err != nil || !ack.Duplicate {
		return ack, err
	}
	same, err := b.sameAs(ctx, ack.Sequence, subject, data)
	if err != nil {
		return Ack{}, fmt.Errorf("compare with message %d: %w", ack.Sequence, err)
	}
	if same {
		return ack, nil
	}
	b.log.Warn("message id was used by another message; publishing under a new one", "subject", subject, "sequence", ack.Sequence)
	return b.send(ctx, b.message(ctx, subject, key+"/"+nuid.Next(), data))
}

// sameAs says whether the stored message is this identity's own with the same
// payload, but for nothing.
func (b *Bus) sameAs(ctx context.Context, seq uint64, subject string, data []byte) (bool, error) {
	stored, err := b.storedEvent(ctx, seq)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s, speaker, err := Split(stored.Subject)
	if err != nil || s.Name() != subject || speaker != b.identity {
		return false, nil
	}
	return bytes.Equal(stored.Data, data), nil
}

func (b *Bus) message(ctx context.Context, subject, key string, data []byte) *nats.Msg {
	msg := nats.NewMsg(subject)
	msg.Data = data
	id := string(b.identity) + "/" + subject + "/" + key
	msg.Header.Set(jetstream.MsgIDHeader, id)
	setCloudEvent(msg.Header, cloudEvent{ID: id, Source: b.source, Type: eventType(subject), Time: time.Now().UTC()})
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(msg.Header))
	return msg
}

func (b *Bus) send(ctx context.Context, msg *nats.Msg) (Ack, error) {
	return backoff.Retry(ctx, func() (Ack, error) {
		ctx, cancel := context.WithTimeout(ctx, answerFor)
		defer cancel()
		ack, err := b.js.PublishMsg(ctx, msg)
		if err != nil {
			if permanentPublish(err) {
				return Ack{}, backoff.Permanent(err)
			}
			return Ack{}, err
		}
		return Ack{Sequence: ack.Sequence, Duplicate: ack.Duplicate}, nil
	}, backoff.WithBackOff(newBackOff()), backoff.WithMaxElapsedTime(publishFor))
}

// permanentPublish says that trying again can't help.
func permanentPublish(err error) bool {
	if errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrConnectionClosed) {
		return true
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code == 400
}
