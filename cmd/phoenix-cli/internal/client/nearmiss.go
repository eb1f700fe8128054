package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

// NearMiss is a message that nobody hears, and the subject that was probably
// meant.
type NearMiss struct{ Subject, Meant string }

// NearMisses calls visit for each message that the operator's identity
// publishes on a subject that nearly matches one of the contract, until ctx
// ends. The bus keeps no such message.
func (o *Operator) NearMisses(ctx context.Context, visit func(NearMiss)) error {
	heard := make(chan *nats.Msg, 64)
	sub, err := o.bus.Conn().ChanSubscribe(">", heard)
	if err != nil {
		return fmt.Errorf("listen for misspelled subjects: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-heard:
			if miss, ok := missed(m.Subject); ok {
				visit(miss)
			}
		}
	}
}

// missed decides whether a subject is a misspelled one of the contract.
func missed(subject string) (NearMiss, bool) {
	for _, own := range []string{"_INBOX.", "$", "BUS.", "deadletter.", "replay."} {
		if strings.HasPrefix(subject, own) {
			return NearMiss{}, false
		}
	}
	if _, ok := events.ByName(subject); ok {
		return NearMiss{}, false
	}
	if _, _, err := events.Split(subject); err == nil {
		return NearMiss{}, false
	}
	var names []string
	for _, s := range events.Contract() {
		names = append(names, s.Name())
	}
	meant := nearest.Of(strings.ToLower(subject), names)
	return NearMiss{Subject: subject, Meant: meant}, meant != ""
}
