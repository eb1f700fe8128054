package client

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Operator speaks and reads as the operator.
type Operator struct {
	bus *events.Bus
	log *slog.Logger
}

// Connect opens the connection to the bus at url with the identity that lies in
// the bus's folder. It tries until ctx ends.
func Connect(ctx context.Context, url string, folder bus.Folder, log *slog.Logger) (*Operator, error) {
	b, err := events.Connect(ctx, events.Options{
		URL: url, Identity: events.Ops, SeedFile: folder.Seed(events.Ops), CAFile: folder.CA(), Log: log,
	})
	if err != nil {
		return nil, err
	}
	return New(b, log), nil
}

// New returns the operator of a connection that stands.
func New(b *events.Bus, log *slog.Logger) *Operator { return &Operator{bus: b, log: log} }

// Close ends the connection.
func (o *Operator) Close() { o.bus.Close() }

// Say publishes p and returns when the bus has it on disk.
func (o *Operator) Say(ctx context.Context, p events.Payload) (events.Ack, error) {
	return o.bus.Publish(ctx, p)
}

// Healthy says whether the bus answers now.
func (o *Operator) Healthy(ctx context.Context) error { return o.bus.Healthy(ctx) }

// DeadLetters returns all dead letters, the oldest first.
func (o *Operator) DeadLetters(ctx context.Context) ([]events.StoredDeadLetter, error) {
	return o.bus.DeadLetters(ctx)
}

// Original returns the message that a dead letter is about; events.ErrNotFound
// when the bus does not hold it any more.
func (o *Operator) Original(ctx context.Context, l events.DeadLetter) (header map[string][]string, data []byte, err error) {
	return o.bus.Original(ctx, l)
}

// Replay has the consumer that gave a message up read it again.
func (o *Operator) Replay(ctx context.Context, l events.DeadLetter) error {
	return o.bus.Replay(ctx, l)
}

// Drop removes a dead letter.
func (o *Operator) Drop(ctx context.Context, l events.StoredDeadLetter) error {
	return o.bus.DropDeadLetter(ctx, l)
}

// SaveConfig puts the stack's configuration where the provisioner reads it.
func (o *Operator) SaveConfig(ctx context.Context, stack string, raw []byte) error {
	if _, err := o.bus.Bucket(events.BucketStacks).Put(ctx, stack, raw); err != nil {
		return fmt.Errorf("put the configuration of %s on the bus: %w", stack, err)
	}
	return nil
}
