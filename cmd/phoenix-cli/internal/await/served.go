package await

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

const (
	// lookAtMost is the time between two looks while much happens.
	lookAtMost = 100 * time.Millisecond
	// lookAtLeast is the time between two looks when nothing happens.
	lookAtLeast = time.Second
)

// Waiter waits for services to be served.
type Waiter struct {
	Op *client.Operator
	// Facts reads what is known of the stack.
	Facts func(context.Context) (view.Facts, error)
	// Since is a moment before the services were asked for.
	Since client.Mark
	// Tell is called with what is still missing, whenever that was looked at.
	Tell func([]Missing)
}

// Look says what is still missing.
type Look func(view.Facts) []Missing

// Served waits until every wish is served, and returns what is not: nothing
// when all are, what was refused when the rest is, and everything that is
// missing, with ctx's error, when ctx ends.
func (w Waiter) Served(ctx context.Context, wishes []Wish) ([]Missing, error) {
	owners := map[string]events.Identity{}
	for _, wish := range wishes {
		owners[wish.Name] = wish.Owner
	}
	return w.until(ctx, owners, func(f view.Facts) []Missing { return Lacking(wishes, f) })
}

// Gone waits until nothing of a service is left at the proxy and the gateway,
// and returns what is, with ctx's error, when ctx ends.
func (w Waiter) Gone(ctx context.Context, service string) ([]Missing, error) {
	return w.until(ctx, nil, func(f view.Facts) []Missing { return Left(service, f) })
}

// until looks whenever something happened, and once in a while, until nothing
// is missing that waiting could help.
func (w Waiter) until(ctx context.Context, owners map[string]events.Identity, look Look) ([]Missing, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan client.Change)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return w.Op.Changes(gctx, w.Since, func(c client.Change) error {
			select {
			case changed <- c:
				return nil
			case <-gctx.Done():
				return gctx.Err()
			}
		})
	})
	missing, err := w.loop(gctx, owners, look, changed)
	cancel()
	broken := g.Wait()
	if err != nil && broken != nil && !errors.Is(broken, context.Canceled) && !errors.Is(broken, context.DeadlineExceeded) {
		err = broken
	}
	return missing, err
}

func (w Waiter) loop(ctx context.Context, owners map[string]events.Identity, look Look, changed <-chan client.Change) ([]Missing, error) {
	refused := map[string]string{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	var missing []Missing
	for {
		select {
		case <-ctx.Done():
			return missing, ctx.Err()
		case c := <-changed:
			if c.Letter != nil {
				w.note(ctx, *c.Letter, owners, refused)
			}
			if soon := time.Now().Add(lookAtMost); soon.Before(next) {
				next = soon
				timer.Reset(lookAtMost)
			}
		case <-timer.C:
			facts, err := w.Facts(ctx)
			if err == nil {
				missing = withRefusals(look(facts), refused)
				w.Tell(missing)
				if settled(missing) {
					return missing, nil
				}
			}
			next = time.Now().Add(lookAtLeast)
			timer.Reset(lookAtLeast)
		}
	}
}

// note remembers why a registration by the wish's owner was refused.
func (w Waiter) note(ctx context.Context, l events.DeadLetter, owners map[string]events.Identity, refused map[string]string) {
	row, speaker, err := events.Split(l.Subject)
	if err != nil || row.Name() != (events.ServiceRegistered{}).Subject() {
		return
	}
	_, data, err := w.Op.Original(ctx, l)
	if err != nil {
		return
	}
	var r events.ServiceRegistered
	if json.Unmarshal(data, &r) == nil && owners[r.Name] == speaker {
		refused[r.Name] = l.Reason
	}
}

// withRefusals marks what waiting can't help.
func withRefusals(missing []Missing, refused map[string]string) []Missing {
	for i, m := range missing {
		if why, ok := refused[m.Name]; ok {
			missing[i].Reason, missing[i].Refused = why, true
		}
	}
	return missing
}

// settled says whether nothing is left that waiting could help.
func settled(missing []Missing) bool {
	for _, m := range missing {
		if !m.Refused {
			return false
		}
	}
	return true
}
