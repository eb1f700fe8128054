package book

import (
	"context"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Handed returns what the gateway was given, by host.
func (b *Book) Handed() map[string]Handed {
	b.mu.Lock()
	defer b.mu.Unlock()
	return clone(b.content.handed)
}

// SetHanded records what the gateway was given for a host.
func (b *Book) SetHanded(ctx context.Context, h Handed) error {
	return b.set(ctx, keyHanded+h.Host, h, func(c *content) {
		c.handed[h.Host] = h
		delete(c.again, h.Host)
	})
}

// RemoveHanded forgets a host that was withdrawn.
func (b *Book) RemoveHanded(ctx context.Context, host string) error {
	if err := b.remove(ctx, keyHanded+host); err != nil {
		return err
	}
	b.change(func(c *content) {
		delete(c.handed, host)
		delete(c.again, host)
	})
	return nil
}

// Again returns the hosts whose pair the gateway needs once more.
func (b *Book) Again() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return clone(b.content.again)
}

// Report compares what the gateway says it serves with what it was given. What
// it lacks, or has otherwise, is asked for again. That is not recorded: a gateway
// that lacks a pair goes on saying so.
func (b *Book) Report(e events.Event[events.GatewayApplied]) {
	b.change(func(c *content) {
		for _, host := range e.Data.Missing {
			c.askAgain(host, e.Sequence)
		}
		for host, serial := range e.Data.Hosts {
			if c.handed[host].Serial != serial {
				c.askAgain(host, e.Sequence)
			}
		}
	}, b.reports...)
}

// askAgain notes a host, unless its pair was handed over after the report.
func (c *content) askAgain(host string, sequence uint64) {
	if c.handed[host].Sequence < sequence {
		c.again[host] = sequence
	}
}
