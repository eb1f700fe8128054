package ledger

import (
	"fmt"
	"maps"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Origin is the message that a record is from.
type Origin struct {
	Sequence uint64 `json:"sequence"`
	// Trace is the message's W3C traceparent: what follows from it belongs to
	// the same trace.
	Trace string `json:"trace,omitempty"`
}

func (o Origin) sequence() uint64 { return o.Sequence }

// Container is the newest container.ready of the gateway's own container.
type Container struct {
	Origin
	Run string `json:"run"`
}

// Proxy is the newest container.ready of Traefik's container.
type Proxy struct {
	Origin
	HTTPS string `json:"https"` // host:port of Traefik's HTTPS entry point; empty when not told
	Curve string `json:"curve"` // proxyconf's public curve key
}

// Root is the newest ca.ready.
type Root struct {
	Origin
	PEM string `json:"pem"`
}

// Upstream is the newest proxy.ready.
type Upstream struct {
	Origin
	Address string `json:"address"` // host:port
}

// Wish is the newest gateway.certificate of a host. That of a withdrawn host
// stays, so that an older one is known to be older.
type Wish struct {
	Origin
	Host      string    `json:"host"`
	Service   string    `json:"service,omitempty"`
	Serial    string    `json:"serial,omitempty"`
	Said      time.Time `json:"said"` // when the message was stored
	Withdrawn bool      `json:"withdrawn,omitempty"`
}

// Key tells this wish from every other.
func (w Wish) Key() string { return fmt.Sprintf("%s/%s/%d", w.Host, w.Serial, w.Sequence) }

// Answer is the newest container.ready that gateway.ready was said for.
type Answer struct {
	Origin
}

// State is all that is in the ledger.
type State struct {
	Container Container
	Proxy     Proxy
	Root      Root
	Upstream  Upstream
	Answer    Answer
	Wishes    map[string]Wish               // by host
	Hosts     map[string]events.GatewayHost // by host: what was seen
}

// clone returns a copy that shares nothing that changes.
func (s State) clone() State {
	s.Wishes, s.Hosts = maps.Clone(s.Wishes), maps.Clone(s.Hosts)
	return s
}
