package main

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger/ledgertest"
	"github.com/phoenix-platform/phoenix/services/gateway/serve"
)

// newHandlers returns handlers beside the bucket that they record into.
func newHandlers(t *testing.T) (*handlers, *ledgertest.Bucket) {
	t.Helper()
	b := ledgertest.NewBucket()
	book, err := ledger.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	_, public, _ := curve(t)
	return &handlers{
		stack: "home", site: serve.Site{Domain: domain}, curve: public, ledger: book, log: slog.New(slog.DiscardHandler),
	}, b
}

// handled is one message and what has to come of it.
type handled[T events.Payload] struct {
	name    string
	data    T
	invalid string // part of the reason; empty: it is recorded
}

// checkHandler gives each message to a new handler.
func checkHandler[T events.Payload](t *testing.T, rows []handled[T], of func(*handlers) events.Handler[T]) {
	t.Helper()
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			h, b := newHandlers(t)
			e := events.Event[T]{Meta: events.Meta{Sequence: uint64(i + 1), Time: time.Now()}, Data: row.data}
			err := of(h)(context.Background(), e)
			if row.invalid == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if !events.IsInvalid(err) || !strings.Contains(err.Error(), row.invalid) {
				t.Errorf("got %v, want an invalid message with %q", err, row.invalid)
			}
			if b.Writes() != 0 {
				t.Error("it was recorded")
			}
		})
	}
}

// checkLater has a handler meet a bus that is down: no message may be lost.
func checkLater[T events.Payload](t *testing.T, data T, of func(*handlers) events.Handler[T]) {
	t.Helper()
	h, b := newHandlers(t)
	down := errors.New("down")
	b.Fail(down)
	err := of(h)(context.Background(), events.Event[T]{Meta: events.Meta{Sequence: 1}, Data: data})
	if !errors.Is(err, down) || events.IsInvalid(err) {
		t.Errorf("with the bus down: got %v, want to be asked later", err)
	}
}

// recordsOf returns what one message leaves in the ledger.
func recordsOf[T events.Payload](t *testing.T, data T, of func(*handlers) events.Handler[T]) ledger.State {
	t.Helper()
	h, _ := newHandlers(t)
	if err := of(h)(context.Background(), events.Event[T]{Meta: events.Meta{Sequence: 7}, Data: data}); err != nil {
		t.Fatal(err)
	}
	return h.ledger.State()
}

func expect[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
