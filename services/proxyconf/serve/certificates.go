package serve

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

const (
	storageWatch = 5 * time.Second       // between two looks at the file that nobody asked for
	halfAFile    = 20 * time.Millisecond // until half a file is read again
	keepAfter    = time.Second           // without a change, until the copy is made
	shakesAtOnce = 8
	firstShake   = 20 * time.Millisecond // until a handshake is tried again; doubling
	mostShake    = 5 * time.Second
	shakeAgain   = 5 * time.Minute // between two looks at a host that is as it should be
)

// Certificates knows which certificates Traefik has and which it shows.
type Certificates struct {
	bell
	site   Site
	book   *book.Book
	reader *storage.Reader
	folder traefik.Folder
	routes *Routes
	orders *Orders
	units  Units
	log    *slog.Logger
	next   []func()

	root     string // PEM that roots is of
	roots    *x509.CertPool
	ca       uint64        // sequence of the newest ca.ready
	read     time.Time     // when the file was last read
	quiet    time.Duration // until it is read again
	changed  time.Time     // when the file last changed
	pairs    map[string]seal.Pair
	patience patience

	mu    sync.Mutex
	hosts map[string]*Host
}

// Host is what is known of one host's certificate.
type Host struct {
	Pair   seal.Pair // in Traefik's store and signed by our root; zero: none
	Seen   Seen      // in a handshake; zero: not seen
	Came   time.Time // when the host was first wanted
	Since  time.Time // since when its certificate is overdue or not
	Amiss  time.Time // since when handshakes don't show the pair's certificate; zero: they do
	Reason string    // why there is no certificate, or why it is not shown

	failures int
	due      time.Time
}

// Served says that the newest certificate was seen.
func (h Host) Served() bool { return h.Seen.Serial != "" && h.Seen.Serial == h.Pair.Serial }

// NewCertificates returns the reconciler of Traefik's certificates.
func NewCertificates(site Site, b *book.Book, folder traefik.Folder, routes *Routes, orders *Orders, units Units, log *slog.Logger) *Certificates {
	c := &Certificates{
		bell: newBell(), site: site, book: b, folder: folder, reader: storage.NewReader(folder.Storage()),
		routes: routes, orders: orders, units: units, log: log.With("part", "certificates"),
		pairs: map[string]seal.Pair{}, hosts: map[string]*Host{},
	}
	b.Notify(c.Ring)
	routes.Notify(c.Ring)
	// What is there already is known before the first route is written.
	if _, err := c.readStorage(); err != nil {
		c.log.Warn("Traefik's store", "err", err)
	}
	c.orders.Fill(slices.Collect(maps.Keys(c.pairs)), nil)
	return c
}

// Notify has ring called when something new was seen. It is called before Run.
func (c *Certificates) Notify(ring func()) { c.next = append(c.next, ring) }

// Hosts returns what is known of each wanted host.
func (c *Certificates) Hosts() map[string]Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]Host, len(c.hosts))
	for host, h := range c.hosts {
		out[host] = *h
	}
	return out
}

// Doubt has every host looked at again.
func (c *Certificates) Doubt() {
	c.mu.Lock()
	for _, h := range c.hosts {
		h.due = time.Time{}
	}
	c.mu.Unlock()
	c.Ring()
}

// Run watches Traefik's store until ctx ends.
func (c *Certificates) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.watch(ctx) })
	group.Go(func() error { return loop(ctx, c.bell, c.log, c.step) })
	return group.Wait()
}

// watch rings when the file changes. Without it, changes are seen later.
func (c *Certificates) watch(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		c.log.WarnContext(ctx, "Traefik's store is not watched", "err", err)
		return nil
	}
	defer func() { _ = watcher.Close() }()
	if err := watcher.Add(string(c.folder)); err != nil {
		c.log.WarnContext(ctx, "Traefik's store is not watched", "err", err)
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-watcher.Events:
			if e.Name == c.folder.Storage() {
				c.Ring()
			}
		case err := <-watcher.Errors:
			c.log.WarnContext(ctx, "watching Traefik's store", "err", err)
			c.Ring()
		}
	}
}

func (c *Certificates) step(ctx context.Context) (time.Duration, error) {
	facts := c.book.Facts()
	if !facts.CA.Known() {
		return 0, nil
	}
	c.trust(facts.CA)
	next := storageWatch
	again, err := c.readStorage()
	if err != nil {
		return 0, err
	}
	next = sooner(next, again)
	news := c.adopt(c.wanted(), time.Now())
	seen, again := c.shake(ctx)
	next = sooner(next, again)
	if news || seen {
		c.notify()
	}
	return sooner(next, c.order(ctx)), nil
}

func (c *Certificates) notify() {
	for _, ring := range c.next {
		ring()
	}
}

// trust takes over the CA's root. A CA that says it is ready may well issue what
// failed before.
func (c *Certificates) trust(ca book.CA) {
	if ca.Root != c.root {
		c.root, c.roots = ca.Root, pool(ca.Root)
		c.distrust()
	}
	if ca.Sequence != c.ca {
		c.ca = ca.Sequence
		c.patience.hurry()
	}
}

// distrust forgets the pairs that another root signed.
func (c *Certificates) distrust() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hosts {
		if h.Pair.Serial != "" && h.Pair.Verify(c.roots) != nil {
			h.Pair, h.Seen = seal.Pair{}, Seen{}
		}
	}
}

// readStorage reads the pairs, unless that was done a moment ago: a large file
// that changes often is read after as long as reading takes.
func (c *Certificates) readStorage() (again time.Duration, err error) {
	if wait := time.Until(c.read.Add(c.quiet)); wait > 0 {
		return wait, nil
	}
	began := time.Now()
	pairs, changed, err := c.reader.Read()
	c.read = time.Now()
	c.quiet = 3 * c.read.Sub(began)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case storage.IsIncomplete(err):
		return halfAFile, nil
	case err != nil:
		return 0, err
	case changed:
		c.pairs, c.changed = pairs.ByHost, c.read
		return keepAfter, nil
	}
	if wait := time.Until(c.changed.Add(keepAfter)); wait > 0 {
		return wait, nil
	}
	return 0, c.reader.Keep()
}

// wanted returns every host that Traefik shall have a certificate for.
func (c *Certificates) wanted() []string {
	hosts := []string{c.site.ProxyHost(), c.site.GatewayHost()}
	for _, s := range c.book.Services() {
		hosts = append(hosts, s.Hosts...)
	}
	return hosts
}

// adopt brings the known hosts in line with what is wanted and what is stored,
// and says whether that changed anything.
func (c *Certificates) adopt(wanted []string, now time.Time) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	issued := false
	current := make(map[string]struct{}, len(wanted))
	for _, host := range wanted {
		current[host] = struct{}{}
		h := c.hosts[host]
		if h == nil {
			h = &Host{Came: now, Since: now}
			c.hosts[host] = h
			news = true
		}
		if pair := c.pairs[host]; pair.Serial != h.Pair.Serial && pair.Verify(c.roots) == nil {
			h.Pair, h.Amiss, h.Reason, h.failures, h.due = pair, now, "", 0, time.Time{}
			issued = true
		}
	}
	if issued {
		c.bePatient(now)
	}
	for host := range c.hosts {
		if _, ok := current[host]; !ok {
			delete(c.hosts, host)
			news = true
		}
	}
	return news || issued
}

// bePatient gives hosts more time whose orders were not seen to fail: while other
// certificates come, theirs are under way.
func (c *Certificates) bePatient(now time.Time) {
	for _, h := range c.hosts {
		if h.Pair.Serial == "" && h.Reason == "" {
			h.Since = now
		}
	}
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
