package serve

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/proxyconf/backend"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

const (
	routesWatch  = 30 * time.Second // between two looks at what Traefik serves
	rewriteAfter = 10 * time.Second // until a configuration that Traefik does not take is written again
	firstAsk     = 10 * time.Millisecond
	mostAsk      = 500 * time.Millisecond
)

// Routes makes Traefik serve the routes, and says so.
type Routes struct {
	bell
	site     Site
	book     *book.Book
	folder   traefik.Folder
	client   *traefik.Client
	backends *Backends
	orders   *Orders
	speaker  Speaker
	next     []func() // bells of those that go on from here
	log      *slog.Logger

	mu      sync.Mutex
	attempt int
	served  Served
	written written
}

// Served is what Traefik was seen to serve.
type Served struct {
	marker string
	// Sequences are the registrations in it, by service.
	Sequences map[string]uint64
	// Faults are routes that Traefik could not use, by service.
	Faults map[string]string
}

// written is the configuration that lies in Traefik's folder.
type written struct {
	revision, marker string
	sequences        map[string]uint64
	trust            []string // files that it names
	at               time.Time
}

// NewRoutes returns the reconciler of the routes. Those in next are rung when
// Traefik serves something new.
func NewRoutes(site Site, b *book.Book, folder traefik.Folder, client *traefik.Client, backends *Backends, orders *Orders, speaker Speaker, log *slog.Logger) *Routes {
	r := &Routes{
		bell: newBell(), site: site, book: b, folder: folder, client: client, backends: backends, orders: orders, speaker: speaker,
		log: log.With("part", "routes"),
	}
	b.Notify(r.Ring)
	backends.Notify(r.Ring)
	return r
}

// Notify has ring called when Traefik serves something new. It is called before
// Run.
func (r *Routes) Notify(ring func()) { r.next = append(r.next, ring) }

// Run applies routes until ctx ends.
func (r *Routes) Run(ctx context.Context) error { return loop(ctx, r.bell, r.log, r.step) }

// Served returns what Traefik was last seen to serve.
func (r *Routes) Served() Served {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.served
}

// Touch changes the configuration in a harmless place: Traefik then orders the
// certificates that it lacks once more.
func (r *Routes) Touch() {
	r.mu.Lock()
	r.attempt++
	r.mu.Unlock()
	r.Ring()
}

// prepare writes the configuration, so that it is there when Traefik starts.
func (r *Routes) prepare() error {
	_, err := r.write()
	return err
}

func (r *Routes) step(ctx context.Context) (time.Duration, error) {
	if !r.book.Facts().CA.Known() {
		return 0, nil
	}
	now, err := r.write()
	if err != nil {
		return 0, err
	}
	ok, err := r.client.Serves(ctx, now.marker)
	if err != nil || !ok {
		return r.patience(now), nil // Traefik is not up, or reads it now
	}
	return routesWatch, r.confirm(ctx, now)
}

// write stores the configuration unless it lies there already.
func (r *Routes) write() (written, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, next, err := r.compose()
	if err != nil {
		return written{}, err
	}
	next.revision, next.marker, next.at = d.Revision(), d.Marker(), r.written.at
	if next.marker != r.written.marker || r.served.marker != next.marker && time.Since(next.at) > rewriteAfter {
		content, err := d.Render()
		if err != nil {
			return written{}, err
		}
		if err := r.folder.WriteDynamic(content); err != nil {
			return written{}, err
		}
		next.at = time.Now()
	}
	r.written = next
	return next, nil
}

// patience returns when to ask Traefik again: soon at first.
func (r *Routes) patience(w written) time.Duration {
	return min(max(time.Since(w.at)/4, firstAsk), mostAsk)
}

// compose says what Traefik shall serve.
func (r *Routes) compose() (traefik.Dynamic, written, error) {
	w := written{sequences: map[string]uint64{}}
	certificate, key, err := r.folder.DefaultPair()
	if err != nil {
		return traefik.Dynamic{}, w, err
	}
	d := traefik.Dynamic{
		Own:       []traefik.Own{{Label: "proxy", Host: r.site.ProxyHost()}, {Label: "gateway", Host: r.site.GatewayHost()}},
		Resolvers: traefik.ResolverNames(resolvers), DefaultCertificate: certificate, DefaultKey: key, Attempt: r.attempt,
	}
	root, err := r.folder.Trust([]byte(r.book.Facts().CA.Root))
	if err != nil {
		return d, w, err
	}
	w.trust = append(w.trust, root)
	for _, s := range r.book.Services() {
		route := traefik.Route{Service: s.Name, Hosts: s.Hosts, Order: r.ordered(s.Hosts)}
		if found := r.backends.Route(s); found.Usable() {
			route.Servers = found.Servers
			if route.TLS, err = r.verification(found); err != nil {
				return d, w, err
			}
		}
		if route.TLS != nil {
			w.trust = append(w.trust, route.TLS.RootFile)
		}
		d.Routes = append(d.Routes, route)
		w.sequences[s.Name] = s.Sequence
	}
	return d, w, nil
}

func (r *Routes) ordered(hosts []string) []string {
	var out []string
	for _, host := range hosts {
		if r.orders.Ordered(host) {
			out = append(out, host)
		}
	}
	return out
}

func (r *Routes) verification(found backend.Route) (*traefik.BackendTLS, error) {
	if !found.Encrypted {
		return nil, nil
	}
	file, err := r.folder.Trust([]byte(found.Trust))
	if err != nil {
		return nil, err
	}
	return &traefik.BackendTLS{RootFile: file, ServerName: found.ServerName}, nil
}

// confirm notes that Traefik serves the configuration, and says it.
func (r *Routes) confirm(ctx context.Context, w written) error {
	if r.Served().marker == w.marker {
		return nil
	}
	faults, err := r.client.Faults(ctx)
	if err != nil {
		return err
	}
	s := Served{marker: w.marker, Sequences: w.sequences, Faults: map[string]string{}}
	for _, f := range faults {
		s.Faults[f.Service] = strings.Join(f.Errors, "; ")
		r.log.ErrorContext(ctx, "Traefik can't use a route", "service", f.Service, "errors", f.Errors)
	}
	if err := r.say(ctx, w); err != nil {
		return err
	}
	r.mu.Lock()
	r.served = s
	r.mu.Unlock()
	for _, ring := range r.next {
		ring()
	}
	return r.folder.KeepTrust(w.trust)
}

// say publishes proxy.applied for a revision that was not said yet.
func (r *Routes) say(ctx context.Context, w written) error {
	if r.book.Facts().Applied.Revision == w.revision {
		return nil
	}
	said := events.ProxyApplied{Revision: w.revision, Routes: len(w.sequences)}
	if _, err := r.speaker.Publish(r.origin(w).Context(ctx), said); err != nil {
		return fmt.Errorf("say that routes are applied: %w", err)
	}
	r.log.InfoContext(ctx, "routes applied", "revision", w.revision, "routes", len(w.sequences))
	return r.book.SetApplied(ctx, book.Applied{Revision: w.revision})
}

// origin returns the newest message that led to the configuration.
func (r *Routes) origin(w written) book.Origin {
	var newest book.Origin
	for service := range w.sequences {
		if o := r.book.Origin(service); o.Sequence > newest.Sequence {
			newest = o
		}
	}
	return newest
}
