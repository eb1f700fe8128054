package serve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

// order gives hosts their turn, has Traefik try failed orders again, and returns
// when to come back.
func (c *Certificates) order(ctx context.Context) time.Duration {
	have, missing := c.inventory()
	if c.orders.Fill(have, missing) {
		c.routes.Ring()
	}
	if c.routes.Served().marker == "" { // Traefik was told of nothing yet
		return 0
	}
	again, next := c.patience.due(time.Now(), strings.Join(missing, " "))
	if !again {
		return next
	}
	c.orders.Fail()
	c.orders.Fill(have, missing)
	if err := c.explain(ctx, missing); err != nil {
		c.log.WarnContext(ctx, "no reason found", "err", err)
	}
	c.log.WarnContext(ctx, "orders are tried again", "hosts", len(missing), "first", missing[0], "reason", c.Hosts()[missing[0]].Reason)
	c.routes.Touch()
	c.notify()
	return next
}

// inventory returns the hosts with a certificate and those without one, which are
// in the order in which they came.
func (c *Certificates) inventory() (have, missing []string) {
	hosts := c.Hosts()
	for host, h := range hosts {
		if h.Pair.Serial != "" {
			have = append(have, host)
		} else {
			missing = append(missing, host)
		}
	}
	slices.SortFunc(missing, func(a, b string) int {
		return cmp.Or(hosts[a].Came.Compare(hosts[b].Came), cmp.Compare(a, b))
	})
	return have, missing
}

// explain finds out from Traefik's log why orders failed.
func (c *Certificates) explain(ctx context.Context, missing []string) error {
	status, err := c.units.Status(ctx, c.site.Unit)
	if err != nil {
		return fmt.Errorf("ask for Traefik's log: %w", err)
	}
	reasons, err := traefik.OrderErrors(status.Log)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, host := range missing {
		if h, ok := c.hosts[host]; ok {
			h.Reason = reasons[host]
		}
	}
	return nil
}
