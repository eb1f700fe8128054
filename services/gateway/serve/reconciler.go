package serve

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nkeys"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
)

const (
	// sweepEvery is how often everything is looked at without a reason.
	sweepEvery = 30 * time.Second
	// taskLimit is how many hosts are worked on side by side.
	taskLimit = 64
)

// Bus is what a Reconciler needs of the bus.
type Bus interface {
	Speaker
	Sealed
}

// Options are what a Reconciler works with.
type Options struct {
	Site    Site
	Own     nkeys.KeyPair // the container's curve key pair
	Ledger  *ledger.Ledger
	Nginx   *nginx.Server
	Pairs   *nginx.Pairs
	Bus     Bus
	Report  *Reporter
	Log     *slog.Logger
	Tracer  trace.Tracer
	Metrics prometheus.Registerer
}

// worker is what tasks share; it does not change.
type worker struct {
	site    Site
	ledger  *ledger.Ledger
	nginx   *nginx.Server
	pairs   *nginx.Pairs
	bus     Bus
	report  *Reporter
	log     *slog.Logger
	tracer  trace.Tracer
	metrics *metrics
	settler *settler
}

// Reconciler brings nginx to serve what the ledger wishes.
type Reconciler struct {
	worker
	tasks    sync.WaitGroup
	outcomes chan outcome

	// The loop's own.
	hosts     map[string]*host
	running   int    // tasks
	root      string // what hosts were verified against
	curve     string // whose boxes were opened
	structure structure
	answer    *host // the answer to container.ready, which is tried like a host
}

// New returns a reconciler that does nothing yet.
func New(o Options) *Reconciler {
	return &Reconciler{
		worker: worker{
			site: o.Site, ledger: o.Ledger, nginx: o.Nginx, pairs: o.Pairs, bus: o.Bus, report: o.Report,
			log: o.Log, tracer: o.Tracer, metrics: newMetrics(o.Metrics, o.Ledger),
			settler: &settler{site: o.Site, own: o.Own, pairs: o.Pairs, sealed: o.Bus},
		},
		outcomes: make(chan outcome, taskLimit+1),
		hosts:    map[string]*host{}, structure: structure{retry: newHost()}, answer: newHost(),
	}
}

// Run works until ctx ends, and waits for its tasks.
func (r *Reconciler) Run(ctx context.Context) error {
	defer r.tasks.Wait()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	r.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.ledger.Changed():
		case o := <-r.outcomes:
			r.note(ctx, o)
		case <-sweep.C:
			r.sweep(ctx)
		case <-again.C:
		}
		again.Reset(time.Until(r.step(ctx)))
	}
}

// note takes in how a task ended.
func (r *Reconciler) note(ctx context.Context, o outcome) {
	h := r.hosts[o.host]
	if o.host == "" {
		h = r.answer
	} else {
		r.running--
	}
	h.end(o.err, time.Now())
	if o.err != nil && ctx.Err() == nil {
		r.log.DebugContext(ctx, "task failed", "host", o.host, "failures", h.failures, "err", o.err)
	}
}

// step starts all that is to be done now, and returns when to come again
// without being asked to.
func (r *Reconciler) step(ctx context.Context) time.Time {
	state := r.ledger.State()
	if state.Root.PEM != r.root {
		r.root = state.Root.PEM
		r.unsettleAll()
	}
	if state.Proxy.Curve != r.curve {
		r.curve = state.Proxy.Curve
		r.retryAll()
	}
	next := r.apply(ctx, state)
	if !r.structure.tried {
		return next
	}
	k, ok := knownOf(state)
	if !ok {
		return next
	}
	for hostName, w := range state.Wishes {
		if r.running >= taskLimit {
			break // an outcome comes, and with it the next step
		}
		h := r.host(hostName)
		start, when := h.due(w, time.Now())
		if start {
			r.start(ctx, h, task{worker: &r.worker, wish: w, known: k, seen: state.Hosts[hostName]})
		} else if !when.IsZero() && when.Before(next) {
			next = when
		}
	}
	if when := r.answerContainer(ctx, state, k); !when.IsZero() && when.Before(next) {
		next = when
	}
	return next
}

// knownOf returns what tasks need to know, and false when that is not all there
// yet.
func knownOf(s ledger.State) (known, bool) {
	if s.Proxy.Curve == "" || s.Root.PEM == "" {
		return known{}, false
	}
	roots := x509.NewCertPool()
	return known{roots: roots, proxy: s.Proxy.Curve}, roots.AppendCertsFromPEM([]byte(s.Root.PEM))
}

// unsettleAll has all hosts looked at again.
func (r *Reconciler) unsettleAll() {
	for _, h := range r.hosts {
		h.unsettle()
	}
}

func (r *Reconciler) host(hostName string) *host {
	h, ok := r.hosts[hostName]
	if !ok {
		h = newHost()
		r.hosts[hostName] = h
	}
	return h
}

func (r *Reconciler) start(ctx context.Context, h *host, t task) {
	h.begin(t.wish)
	t.failures = h.failures
	r.running++
	r.tasks.Go(func() { r.outcomes <- outcome{host: t.wish.Host, err: t.run(ctx)} })
}

// sweep has everything looked at again that is not as it was left: files that
// went, files that nobody wished for, certificates whose time is over.
func (r *Reconciler) sweep(ctx context.Context) {
	r.structure.done = false // applying what is applied only looks
	files, err := r.pairs.Hosts()
	if err != nil {
		r.log.WarnContext(ctx, "sweep", "err", err)
		return
	}
	state := r.ledger.State()
	there := make(map[string]bool, len(files))
	for _, f := range files {
		there[f] = true
	}
	for hostName, h := range r.hosts {
		w, seen := state.Wishes[hostName], state.Hosts[hostName]
		gone := !there[hostName] || time.Now().After(seen.NotAfter)
		if !h.busy && h.settled != 0 && !w.Withdrawn && gone {
			h.unsettle()
		}
	}
	r.removeOrphans(ctx, state, files)
}

// removeOrphans removes files of hosts that nobody wished for. The ledger is
// complete; but an empty one beside files is a bus that was lost, and then what
// is served stays served.
func (r *Reconciler) removeOrphans(ctx context.Context, state ledger.State, files []string) {
	if len(state.Wishes) == 0 {
		return
	}
	for _, f := range files {
		if _, wished := state.Wishes[f]; wished || name.Host(f, r.site.Domain) != nil {
			continue
		}
		r.log.WarnContext(ctx, "removing a host that nobody wished for", "host", f)
		err := errors.Join(r.pairs.Remove(f), r.ledger.RemoveHost(ctx, f))
		if err != nil {
			r.log.WarnContext(ctx, "sweep", "host", f, "err", err)
		}
		r.report.host(f, "", false)
	}
}
