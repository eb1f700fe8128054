package events

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// SealedSubject is where the sealed pair of a host lies.
func SealedSubject(host string) string { return "sealed." + host }

// PutSealed stores a sealed pair for host; a former one goes. proxyconf only.
func (b *Bus) PutSealed(ctx context.Context, host string, data []byte) (subject string, sequence uint64, err error) {
	msg := nats.NewMsg(SealedSubject(host))
	msg.Data = data
	ack, err := b.send(ctx, msg)
	if err != nil {
		return "", 0, fmt.Errorf("store the sealed pair of %s: %w", host, err)
	}
	return msg.Subject, ack.Sequence, nil
}

// GetSealed returns the newest sealed pair of host, or ErrNotFound. gateway
// only.
func (b *Bus) GetSealed(ctx context.Context, host string) (data []byte, sequence uint64, err error) {
	msg, err := b.conn.RequestWithContext(ctx, apiPrefix+".DIRECT.GET."+StreamSealed+"."+SealedSubject(host), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("fetch the sealed pair of %s: %w", host, err)
	}
	if msg.Header.Get("Status") == "404" {
		return nil, 0, fmt.Errorf("sealed pair of %s: %w", host, ErrNotFound)
	}
	if status := msg.Header.Get("Status"); status != "" {
		return nil, 0, fmt.Errorf("fetch the sealed pair of %s: %s %s", host, status, msg.Header.Get("Description"))
	}
	var seq uint64
	if _, err := fmt.Sscan(msg.Header.Get(jetstream.SequenceHeader), &seq); err != nil {
		return nil, 0, fmt.Errorf("fetch the sealed pair of %s: sequence: %w", host, err)
	}
	return msg.Data, seq, nil
}
