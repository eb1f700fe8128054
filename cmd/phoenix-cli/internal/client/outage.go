package client

import (
	"context"

	"github.com/nats-io/nats.go"
)

// Outages calls visit when the connection to the bus is lost, and when it
// stands again, until ctx ends. It is restored by itself.
func (o *Operator) Outages(ctx context.Context, visit func(lost bool)) {
	conn := o.bus.Conn()
	changed := conn.StatusChanged(nats.RECONNECTING, nats.CONNECTED)
	defer conn.RemoveStatusListener(changed)
	for {
		select {
		case <-ctx.Done():
			return
		case status, open := <-changed:
			if !open {
				return
			}
			visit(status != nats.CONNECTED)
		}
	}
}
