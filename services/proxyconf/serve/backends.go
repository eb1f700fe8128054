package serve

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/proxyconf/backend"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

// The pauses between two looks at the same backend.
const (
	nameAgain   = time.Minute     // names may lead elsewhere
	lookAgain   = 5 * time.Minute // certificates change less often
	firstLook   = time.Second     // when something is wrong; doubling
	mostLook    = time.Minute
	looksAtOnce = 16
)

// Checker asks a backend.
type Checker interface {
	Check(ctx context.Context, s registry.Service, root string, former backend.Route) backend.Route
}

// Backends knows how each backend is reached.
type Backends struct {
	bell
	book    *book.Book
	checker Checker
	log     *slog.Logger
	next    []func()

	looks sync.WaitGroup
	slots chan struct{}

	mu    sync.Mutex
	known map[string]*known
}

// known is what is known of one backend.
type known struct {
	service  registry.Service
	root     string
	route    backend.Route
	due      time.Time
	failures int
	busy     bool
}

// NewBackends returns the reconciler of the backends.
func NewBackends(b *book.Book, checker Checker, log *slog.Logger) *Backends {
	r := &Backends{
		bell: newBell(), book: b, checker: checker, log: log.With("part", "backends"),
		slots: make(chan struct{}, looksAtOnce), known: map[string]*known{},
	}
	b.Notify(r.Ring)
	return r
}

// Notify has ring called when something new was found. It is called before Run.
func (r *Backends) Notify(ring func()) { r.next = append(r.next, ring) }

// Run looks at backends until ctx ends and the looks under way have ended.
func (r *Backends) Run(ctx context.Context) error {
	defer r.looks.Wait()
	return loop(ctx, r.bell, r.log, r.step)
}

// Route returns how a service's backend is reached, as far as it is known.
func (r *Backends) Route(s registry.Service) backend.Route {
	root := r.book.Facts().CA.Root
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.known[s.Name]; k != nil && k.service.Sequence == s.Sequence && k.root == root {
		return k.route
	}
	return backend.Plan(s, root)
}

// step starts the looks that are due.
func (r *Backends) step(ctx context.Context) (time.Duration, error) {
	services, stored, root := r.book.Services(), r.book.Backends(), r.book.Facts().CA.Root
	gone := r.adopt(services, stored, root)
	for _, name := range gone {
		if err := r.book.RemoveBackend(ctx, name); err != nil {
			return 0, err
		}
	}
	return r.startDue(ctx), nil
}

// adopt takes over what is registered, and returns the names of stored backends
// whose service is gone.
func (r *Backends) adopt(services []registry.Service, stored map[string]book.Backend, root string) (gone []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	current := make(map[string]struct{}, len(services))
	for _, s := range services {
		current[s.Name] = struct{}{}
		if k := r.known[s.Name]; k == nil || k.service.Sequence != s.Sequence || k.root != root {
			r.known[s.Name] = &known{service: s, root: root, route: remembered(s, stored[s.Name], root)}
		}
	}
	for name := range r.known {
		if _, ok := current[name]; !ok {
			delete(r.known, name)
		}
	}
	for name := range stored {
		if _, ok := current[name]; !ok {
			gone = append(gone, name)
		}
	}
	return gone
}

// remembered is the plan for a service with what a former life found out.
func remembered(s registry.Service, stored book.Backend, root string) backend.Route {
	route := backend.Plan(s, root)
	if stored.Sequence != s.Sequence {
		return route
	}
	route.Servers, route.Verified = stored.Servers, stored.Verified
	route.Pending = route.Encrypted && !route.Verified
	if s.Fingerprint != "" {
		route.Trust, route.ServerName = stored.Trust, stored.ServerName
	}
	return route
}

// startDue starts the looks that are due, and returns when the next one is.
func (r *Backends) startDue(ctx context.Context) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := time.Duration(0)
	for _, k := range r.known {
		if k.busy || k.route.Settled() && k.due.IsZero() && !named(k.service) {
			continue
		}
		if wait := time.Until(k.due); wait > 0 {
			next = sooner(next, wait)
			continue
		}
		k.busy = true
		r.looks.Go(func() { r.look(ctx, k) })
	}
	return next
}

// named says that the backend is given by a name, which may lead elsewhere
// tomorrow.
func named(s registry.Service) bool {
	_, err := netip.ParseAddr(s.Backend.Address)
	return err != nil
}

// look asks one backend and notes what was found.
func (r *Backends) look(ctx context.Context, k *known) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return
	}
	found := r.checker.Check(ctx, k.service, k.root, k.route)
	if ctx.Err() != nil {
		return
	}
	if err := r.remember(ctx, k.service, found); err != nil {
		r.log.WarnContext(ctx, "backend not recorded", "service", k.service.Name, "err", err)
	}
	r.note(ctx, k, found)
}

// pause counts failures and returns when to look again.
func (k *known) pause() time.Duration {
	if k.route.Reason != "" {
		k.failures++
		return min(firstLook<<min(k.failures-1, 10), mostLook)
	}
	k.failures = 0
	if named(k.service) {
		return nameAgain
	}
	return lookAgain
}

// remember stores what a later life could not plan by itself.
func (r *Backends) remember(ctx context.Context, s registry.Service, found backend.Route) error {
	now := book.Backend{Sequence: s.Sequence, Servers: found.Servers, Verified: found.Verified}
	if s.Fingerprint != "" {
		now.Trust, now.ServerName = found.Trust, found.ServerName
	}
	if stored, ok := r.book.Backends()[s.Name]; ok && equalBackends(stored, now) {
		return nil
	}
	return r.book.SetBackend(ctx, s.Name, now)
}

func equalBackends(a, b book.Backend) bool {
	return a.Sequence == b.Sequence && slices.Equal(a.Servers, b.Servers) && a.Trust == b.Trust &&
		a.ServerName == b.ServerName && a.Verified == b.Verified
}

// note takes over what was found.
func (r *Backends) note(ctx context.Context, k *known, found backend.Route) {
	r.mu.Lock()
	former := k.route
	k.route, k.busy = found, false
	k.due = time.Now().Add(k.pause())
	r.mu.Unlock()
	if found.Reason != former.Reason {
		r.log.InfoContext(ctx, "backend looked at", "service", k.service.Name, "verified", found.Verified, "reason", found.Reason)
	}
	r.Ring()
	for _, ring := range r.next {
		ring()
	}
}
