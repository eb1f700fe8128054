package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Mark is a moment on the bus: the newest event and the newest dead letter.
type Mark struct{ Events, DeadLetters uint64 }

// Change is one thing that happened on the bus: an event, or a message that a
// consumer gave up.
type Change struct {
	Event  *Message
	Letter *events.DeadLetter
}

// Mark returns the present moment.
func (o *Operator) Mark(ctx context.Context) (m Mark, err error) {
	if m.Events, err = o.last(ctx, events.StreamEvents); err != nil {
		return Mark{}, err
	}
	if m.DeadLetters, err = o.last(ctx, events.StreamDeadLetters); err != nil {
		return Mark{}, err
	}
	return m, nil
}

// Changes calls visit for each thing that happened after since, one at a time:
// events in their order, and dead letters in theirs. It ends when ctx does, or
// with what visit returns; ErrStop is no error.
func (o *Operator) Changes(ctx context.Context, since Mark, visit func(Change) error) error {
	var mu sync.Mutex
	one := func(c Change) error {
		mu.Lock()
		defer mu.Unlock()
		return visit(c)
	}
	g, ctx := errgroup.WithContext(ctx)
	stop := func(err error) error {
		if err == nil { // ErrStop ended it: end the other one too
			return ErrStop
		}
		return err
	}
	g.Go(func() error {
		return stop(o.follow(ctx, events.StreamEvents, From{Sequence: since.Events + 1}, func(m Message) error {
			return one(Change{Event: &m})
		}))
	})
	g.Go(func() error {
		return stop(o.follow(ctx, events.StreamDeadLetters, From{Sequence: since.DeadLetters + 1}, func(m Message) error {
			var l events.DeadLetter
			if err := json.Unmarshal(m.Data, &l); err != nil {
				return fmt.Errorf("dead letter at %d: %w", m.Sequence, err)
			}
			return one(Change{Letter: &l})
		}))
	})
	if err := g.Wait(); !errors.Is(err, ErrStop) {
		return err
	}
	return nil
}
