package serve

import (
	"context"
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
)

// patience is how many times in a row something fails before it is said: what
// is on its way is not missing.
const patience = 2

// outcome is how a task ended.
type outcome struct {
	host string
	err  error
}

// task is the work for one host.
type task struct {
	*worker
	wish     ledger.Wish
	known    known
	seen     events.GatewayHost // what was recorded before
	failures int                // in a row, so far
}

// run does it, in the trace of the message that asked for it.
func (t task) run(ctx context.Context) error {
	ctx, span := t.tracer.Start(t.wish.Context(ctx), "settle "+t.wish.Host)
	defer span.End()
	err := t.serve(ctx)
	if err != nil {
		span.RecordError(err)
	}
	return err
}

func (t task) serve(ctx context.Context) error {
	if t.wish.Withdrawn {
		return t.remove(ctx)
	}
	served, err := t.settler.settle(ctx, t.wish, t.known)
	switch {
	case err == nil:
		return t.ready(ctx, served)
	case ctx.Err() != nil || t.failures+1 < patience:
		return err
	}
	return errors.Join(err, t.failed(ctx, served, err))
}

// remove ends the serving of a withdrawn host.
func (t task) remove(ctx context.Context) error {
	if err := t.pairs.Remove(t.wish.Host); err != nil {
		return err
	}
	t.report.host(t.wish.Host, "", false)
	return t.ledger.RemoveHost(ctx, t.wish.Host)
}

// ready says and records that the host is served. It is said first: after a
// crash in between it is said twice, which does no harm.
func (t task) ready(ctx context.Context, served nginx.Served) error {
	now := events.GatewayHost{
		Host: t.wish.Host, Service: t.wish.Service, Serial: served.Serial, NotAfter: served.NotAfter, State: events.StateReady,
	}
	t.report.host(t.wish.Host, served.Serial, false)
	if now == t.seen {
		return nil
	}
	t.metrics.placed(t.wish)
	t.log.InfoContext(ctx, "host served", "host", now.Host, "serial", now.Serial, "not_after", now.NotAfter)
	if now.Service != "" {
		said := events.ServiceReady{Name: now.Service, Host: now.Host, URL: t.site.url(now.Host), Serial: now.Serial}
		if _, err := t.bus.Publish(ctx, said, events.WithKey(t.wish.Key())); err != nil {
			return err
		}
	}
	return t.ledger.SetHost(ctx, now)
}

// failed says and records why the wished pair is not shown.
func (t task) failed(ctx context.Context, served nginx.Served, why error) error {
	if state := t.nginx.State(ctx); state != "" {
		why = fmt.Errorf("%s: %w", state, why)
	}
	now := events.GatewayHost{
		Host: t.wish.Host, Service: t.wish.Service, Serial: served.Serial, NotAfter: served.NotAfter,
		State: events.StateFailed, Reason: why.Error(),
	}
	if served.Serial != "" {
		now.State = events.StateDegraded
	}
	t.report.host(now.Host, served.Serial, errors.Is(why, errMissing))
	if now == t.seen {
		return nil
	}
	t.log.WarnContext(ctx, "host not served as wished", "host", now.Host, "serial", now.Serial, "err", why)
	if now.Service != "" {
		if _, err := t.bus.Publish(ctx, events.ServiceFailed{Name: now.Service, Host: now.Host, Reason: now.Reason}); err != nil {
			return err
		}
	}
	return t.ledger.SetHost(ctx, now)
}
