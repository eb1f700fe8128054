package serve

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	shakesAtOnce = 8
	firstShake   = 20 * time.Millisecond // until a handshake is tried again; doubling
	mostShake    = 5 * time.Second
	shakeAgain   = 5 * time.Minute // between two looks at a host that is as it should be
)

// Doubt has every host looked at again.
func (c *Certificates) Doubt() {
	c.mu.Lock()
	for _, h := range c.hosts {
		h.due = time.Time{}
	}
	c.mu.Unlock()
	c.Ring()
}

// shake does the handshakes that are due, and says whether they showed anything
// new and when the next ones are due.
func (c *Certificates) shake(ctx context.Context) (news bool, next time.Duration) {
	now := time.Now()
	var group errgroup.Group
	group.SetLimit(shakesAtOnce)
	var mu sync.Mutex
	for host, h := range c.due(now) {
		group.Go(func() error {
			seen, err := look(ctx, c.site.HTTPS, host, c.roots)
			mu.Lock()
			defer mu.Unlock()
			news = c.note(ctx, host, h, seen, err) || news
			return nil
		})
	}
	_ = group.Wait() // none fails: what was not seen is looked at again
	return news, c.nextShake(time.Now())
}

// due returns the hosts that have a pair and are to be looked at.
func (c *Certificates) due(now time.Time) map[string]*Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]*Host{}
	for host, h := range c.hosts {
		if h.Pair.Serial != "" && !now.Before(h.due) {
			out[host] = h
		}
	}
	return out
}

func (c *Certificates) nextShake(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := time.Duration(0)
	for _, h := range c.hosts {
		if h.Pair.Serial != "" {
			next = sooner(next, max(h.due.Sub(now), time.Millisecond))
		}
	}
	return next
}

// note takes over what a handshake showed.
func (c *Certificates) note(ctx context.Context, host string, h *Host, seen Seen, err error) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, former := time.Now(), *h
	h.Seen, h.Reason = seen, ""
	if err != nil {
		h.Reason = err.Error()
	}
	if h.Served() {
		h.Amiss, h.failures, h.due = time.Time{}, 0, now.Add(shakeAgain)
	} else {
		h.due = now.Add(min(firstShake<<min(h.failures, 10), mostShake))
		h.failures++
		if h.Amiss.IsZero() {
			h.Amiss = now
		}
	}
	if h.Seen == former.Seen {
		return false
	}
	c.log.InfoContext(ctx, "Traefik shows", "host", host, "serial", seen.Serial, "not_after", seen.NotAfter, "err", err)
	return true
}
