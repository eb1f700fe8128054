package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestChanges(t *testing.T) {
	srv, o := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	refuse := func(context.Context, events.Event[events.ServiceRegistered]) error {
		return events.Invalid(errors.New("the name is taken"))
	}
	bustest.Run(t, events.On(srv.Connect(t, events.Proxyconf), refuse))
	mark, err := o.Mark(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := o.Say(ctx, events.ServiceRegistered{Name: "grafana"})
	if err != nil {
		t.Fatal(err)
	}
	var event, letter bool
	err = o.Changes(ctx, mark, func(c client.Change) error {
		switch {
		case c.Event != nil:
			event = c.Event.Sequence == ack.Sequence
		case c.Letter != nil:
			letter = c.Letter.Sequence == ack.Sequence && c.Letter.Reason == "the name is taken"
		}
		if event && letter {
			return client.ErrStop
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := o.Changes(ctx, mark, func(client.Change) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want the visitor's error", err)
	}
}
