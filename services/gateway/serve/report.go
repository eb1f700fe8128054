package serve

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

const (
	// reportEvery is the shortest time between two reports: many changes go
	// into one.
	reportEvery = 200 * time.Millisecond
	// reportHosts is how many hosts go into one message; with the longest names
	// it stays below the limit of the bus.
	reportHosts = 300
	// reportAgain is the pause after a report that the bus did not take.
	reportAgain = 2 * time.Second
)

// Speaker publishes.
type Speaker interface {
	Publish(ctx context.Context, p events.Payload, opts ...events.PublishOption) (events.Ack, error)
}

// Reporter says in gateway.applied what nginx serves. It is told of each
// change, and says the changes of a moment together.
type Reporter struct {
	speaker Speaker
	log     *slog.Logger
	poke    chan struct{}

	mu      sync.Mutex
	served  map[string]string // all hosts that nginx serves: host → serial
	changed map[string]change // since the last report
	refusal string            // why nginx refused its newest configuration
	retold  bool              // refusal is to be said
}

// change is what a report says of one host.
type change struct {
	serial  string // empty: not served
	missing bool   // the pair has to be handed over again
}

// NewReporter returns a reporter that has nothing to say yet.
func NewReporter(speaker Speaker, log *slog.Logger) *Reporter {
	return &Reporter{
		speaker: speaker, log: log, poke: make(chan struct{}, 1),
		served: map[string]string{}, changed: map[string]change{},
	}
}

// host notes what nginx shows for a host: a serial, or nothing.
func (r *Reporter) host(host, serial string, missing bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if serial == "" {
		delete(r.served, host)
	} else {
		r.served[host] = serial
	}
	r.changed[host] = change{serial: serial, missing: missing}
	r.wake()
}

// refused notes why nginx refused its newest configuration; empty when it did
// not.
func (r *Reporter) refused(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason == r.refusal {
		return
	}
	r.refusal, r.retold = reason, true
	r.wake()
}

func (r *Reporter) wake() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// total tells how many hosts are served.
func (r *Reporter) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.served)
}

// Run publishes until ctx ends.
func (r *Reporter) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.poke:
		}
		pause := reportEvery
		if err := r.publish(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "report not published", "err", err)
			pause = reportAgain
		}
		wait(ctx, pause)
	}
}

// publish says all that is to be said. What the bus does not take is kept.
func (r *Reporter) publish(ctx context.Context) error {
	for {
		part, taken := r.take()
		if taken == nil {
			return nil
		}
		if _, err := r.speaker.Publish(ctx, part); err != nil {
			r.giveBack(taken)
			return err
		}
	}
}

// take returns the next part of the report, and nil when there is none.
func (r *Reporter) take() (events.GatewayApplied, map[string]change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.changed) == 0 && !r.retold {
		return events.GatewayApplied{}, nil
	}
	part := events.GatewayApplied{Hosts: map[string]string{}, Total: len(r.served), Error: r.refusal}
	taken := map[string]change{}
	for _, host := range slices.Sorted(maps.Keys(r.changed)) {
		if len(taken) == reportHosts {
			break
		}
		c := r.changed[host]
		taken[host] = c
		delete(r.changed, host)
		if c.missing {
			part.Missing = append(part.Missing, host)
		}
		switch {
		case c.serial != "":
			part.Hosts[host] = c.serial
		case !c.missing:
			part.Removed = append(part.Removed, host)
		}
	}
	r.retold = false
	return part, taken
}

// giveBack has changes said with the next report, unless newer ones came.
func (r *Reporter) giveBack(taken map[string]change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for host, c := range taken {
		if _, newer := r.changed[host]; !newer {
			r.changed[host] = c
		}
	}
	r.retold = true
	r.wake()
}

// wait ends after d, or with ctx.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
