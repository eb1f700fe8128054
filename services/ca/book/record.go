package book

import (
	"context"

	"go.opentelemetry.io/otel/propagation"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

const traceparent = "traceparent"

// Origin is the message that a record is from.
type Origin struct {
	Sequence uint64 `json:"sequence"`
	// Trace is the message's W3C traceparent: what follows from it belongs to the
	// same trace.
	Trace string `json:"trace,omitempty"`
}

// OriginOf returns what a record remembers of its message, which is being
// handled under ctx.
func OriginOf(ctx context.Context, m events.Meta) Origin {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return Origin{Sequence: m.Sequence, Trace: carrier[traceparent]}
}

// Context returns ctx as a part of the message's trace.
func (o Origin) Context(ctx context.Context) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: o.Trace})
}

// Known says whether there was such a message.
func (o Origin) Known() bool { return o.Sequence > 0 }

// Container is the newest container.ready of the CA's own container: the wish
// that the CA serves.
type Container struct {
	Origin
	Run string `json:"run"`
}

// Proxy is the newest container.ready of the proxy's container.
type Proxy struct {
	Origin
	ACME string `json:"acme"` // host:port at which challenges are answered
}

// Answer is what the newest ca.ready said.
type Answer struct {
	// Sequence is that of the container.ready that it answered.
	Sequence uint64 `json:"sequence"`
	events.CAReady
}
