package serve

import (
	"context"
	"crypto/x509"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
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
	Since  time.Time // since when nothing was seen to happen about its certificate
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

// Run watches Traefik's store until ctx ends.
func (c *Certificates) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.watch(ctx) })
	group.Go(func() error { return loop(ctx, c.bell, c.log, c.step) })
	return group.Wait()
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
