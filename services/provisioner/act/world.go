// Package act carries out what the saga decides: in containers through the
// driver, on the bus, and by looking at services as a client would. Every
// action may be carried out again, so each one looks before it acts.
package act

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/probe"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// Publisher says things on the bus.
type Publisher interface {
	Publish(ctx context.Context, p events.Payload, opts ...events.PublishOption) (events.Ack, error)
}

// Reader reads a bucket.
type Reader interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
}

// Bucket reads and writes a bucket.
type Bucket interface {
	Reader
	Put(ctx context.Context, key string, value []byte) (revision uint64, err error)
}

// Lister lists a bucket.
type Lister interface {
	List(ctx context.Context, prefix string) (map[string][]byte, error)
}

var (
	_ Publisher = (*events.Bus)(nil)
	_ Bucket    = (*events.Bucket)(nil)
	_ Lister    = (*events.Bucket)(nil)
)

// Probes look at services.
type Probes struct {
	Alive     func(ctx context.Context, address string) error
	HTTPS     func(ctx context.Context, e probe.Endpoint, url string) error
	Handshake func(ctx context.Context, e probe.Endpoint) error
}

// RealProbes look for real.
func RealProbes() Probes {
	return Probes{Alive: probe.Alive, HTTPS: probe.HTTPS, Handshake: probe.Handshake}
}

// World is what actions act on.
type World struct {
	Driver driver.Driver
	Site   blueprint.Site
	Bus    Publisher
	Stacks Reader // the operator's configurations
	Own    Bucket // the provisioner's bucket
	// Registry is the proxy's bucket: which services are registered.
	Registry Lister
	Probes   Probes
	// Identities is the folder of the services' bus seeds, BusCA the file with
	// the certificates that the bus is verified against.
	Identities string
	BusCA      string
	Log        *slog.Logger

	programs digests
}

// ErrRefused marks what trying again can't mend.
var ErrRefused = errors.New("refused")

// refuse marks err as one that trying again can't mend.
func refuse(err error) error { return &refusal{err} }

type refusal struct{ err error }

func (r *refusal) Error() string   { return r.err.Error() }
func (r *refusal) Unwrap() []error { return []error{r.err, ErrRefused} }

// Do carries out one action and returns what came of it; nil when there is
// nothing to tell. An error that is [ErrRefused] is not worth another try.
func (w *World) Do(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error) {
	switch a.Kind {
	case saga.Say:
		return w.say(ctx, s, a)
	case saga.Configure:
		return w.configure(ctx, s)
	case saga.Register:
		return w.register(ctx, s)
	case saga.Withdraw:
		return w.withdraw(ctx, s)
	case saga.List:
		return w.list(ctx, s)
	case saga.See:
		return w.see(ctx, s, a.Step)
	case saga.WatchDoor:
		return w.watchDoor(ctx, s)
	}
	c, ok := s.Container(a.Container)
	if !ok {
		return nil, fmt.Errorf("%s container %d: the stack has none of that id", a.Kind, a.Container)
	}
	switch a.Kind {
	case saga.Look:
		return w.look(ctx, s, c)
	case saga.Make:
		return w.makeContainer(ctx, s, c)
	case saga.Probe:
		return w.probe(ctx, s, c)
	case saga.WatchInterior:
		return w.watchInterior(ctx, s, c)
	case saga.Undo:
		return w.undo(ctx, s, c)
	case saga.Remove:
		return w.remove(ctx, s, c)
	default:
		return nil, fmt.Errorf("%s is no action", a.Kind)
	}
}

// say publishes the oldest notice of the outbox.
func (w *World) say(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error) {
	if len(s.Outbox) == 0 {
		return saga.Said{Notice: a.Notice}, nil
	}
	n := s.Outbox[0]
	if _, err := w.Bus.Publish(ctx, n.Payload(), events.WithKey(n.Key)); err != nil {
		return nil, err
	}
	w.Log.InfoContext(ctx, "said", "subject", n.Payload().Subject(), "key", n.Key)
	return saga.Said{Notice: a.Notice}, nil
}
