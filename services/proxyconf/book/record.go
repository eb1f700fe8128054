package book

import (
	"context"
	"maps"

	"go.opentelemetry.io/otel/propagation"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Origin is the message that a record is from.
type Origin struct {
	Sequence uint64 `json:"sequence"`
	// Trace is the message's W3C traceparent: what follows from it belongs to
	// the same trace.
	Trace string `json:"trace,omitempty"`
}

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

// CA is the newest ca.ready.
type CA struct {
	Origin
	events.CAReady
}

// Known says that the CA was heard of.
func (c CA) Known() bool { return c.Root != "" }

// Container is the newest container.ready of a container.
type Container struct {
	Origin
	ID    int    `json:"id"`
	Curve string `json:"curve"` // public curve key of the service inside
}

// Known says that the container was heard of.
func (c Container) Known() bool { return c.Sequence != 0 }

// Handed is what the gateway was given for a host.
type Handed struct {
	Host     string `json:"host"`
	Service  string `json:"service,omitempty"`
	Serial   string `json:"serial"`
	Curve    string `json:"curve"`    // key that the pair was sealed to
	Sequence uint64 `json:"sequence"` // of the gateway.certificate
}

// Answered is what the newest proxy.ready answered.
type Answered struct {
	Proxy  uint64 `json:"proxy"` // sequence of the container.ready
	CA     uint64 `json:"ca"`    // sequence of the ca.ready
	Serial string `json:"serial"`
}

// Applied is what the newest proxy.applied said.
type Applied struct {
	Revision string `json:"revision"`
}

// Backend is how a service's backend was found, where that took asking.
type Backend struct {
	Sequence   uint64   `json:"sequence"` // of the registration
	Servers    []string `json:"servers,omitempty"`
	Trust      string   `json:"trust,omitempty"` // PEM
	ServerName string   `json:"server_name,omitempty"`
	Verified   bool     `json:"verified,omitempty"`
}

// Facts is what others said and what was said in answer.
type Facts struct {
	CA       CA
	Proxy    Container
	Gateway  Container
	Answered Answered
	Applied  Applied
}

// content is all that is in the book besides claims.
type content struct {
	facts    Facts
	states   map[string]events.ServiceState // by service
	handed   map[string]Handed              // by host
	backends map[string]Backend             // by service
	again    map[string]uint64              // host → sequence of the report that asked for its pair
}

func newContent() content {
	return content{
		states: map[string]events.ServiceState{}, handed: map[string]Handed{},
		backends: map[string]Backend{}, again: map[string]uint64{},
	}
}

// clone copies a map for a reader.
func clone[V any](m map[string]V) map[string]V { return maps.Clone(m) }
