package ledger

import (
	"context"

	"go.opentelemetry.io/otel/propagation"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

const traceparent = "traceparent"

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
