package serve

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

// answerContainer says gateway.ready for each container.ready, once nginx
// serves the gateway's own host. It returns when to come again; the zero time
// means: not before something happens.
func (r *Reconciler) answerContainer(ctx context.Context, state ledger.State, k known) time.Time {
	asked := ledger.Wish{Origin: state.Container.Origin, Host: r.site.OwnHost()}
	if asked.Sequence <= state.Answer.Sequence || !r.serves(state, asked.Host) {
		return time.Time{}
	}
	start, when := r.answer.due(asked, time.Now())
	if !start {
		return when
	}
	r.answer.begin(asked)
	r.tasks.Go(func() { r.outcomes <- outcome{err: r.sayReady(ctx, asked, k)} })
	return time.Time{}
}

// serves says whether nginx serves the host as wished.
func (r *Reconciler) serves(state ledger.State, hostName string) bool {
	w, ok := state.Wishes[hostName]
	h := r.hosts[hostName]
	return ok && !w.Withdrawn && h != nil && !h.busy && h.settled == w.Sequence && r.structure.done
}

// sayReady looks at every address and says gateway.ready.
func (w *worker) sayReady(ctx context.Context, asked ledger.Wish, k known) error {
	ctx, span := w.tracer.Start(asked.Context(ctx), "answer container.ready")
	defer span.End()
	ready := events.GatewayReady{Hosts: w.report.total()}
	for _, addr := range w.site.HTTPS {
		if _, err := w.settler.look(ctx, addr, asked.Host, k.roots); err != nil {
			return err
		}
		ready.Addresses = append(ready.Addresses, addr.String())
	}
	if _, err := w.bus.Publish(ctx, ready, events.WithKey(strconv.FormatUint(asked.Sequence, 10))); err != nil {
		return err
	}
	w.log.InfoContext(ctx, "gateway ready", "addresses", ready.Addresses, "hosts", ready.Hosts)
	return w.ledger.SetAnswer(ctx, ledger.Answer{Origin: asked.Origin})
}

// Healthy says whether nginx serves the gateway's own host.
func (r *Reconciler) Healthy(ctx context.Context) error {
	state := r.ledger.State()
	if _, err := r.site.configuration(state); err != nil {
		return err
	}
	k, ok := knownOf(state)
	if !ok {
		return errors.New("proxyconf's key is not known yet")
	}
	if _, err := r.settler.look(ctx, r.site.HTTPS[0], r.site.OwnHost(), k.roots); err != nil {
		if why := r.nginx.State(ctx); why != "" {
			return fmt.Errorf("%s: %w", why, err)
		}
		return err
	}
	return nil
}
