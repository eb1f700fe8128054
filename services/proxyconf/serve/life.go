package serve

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
	"github.com/phoenix-platform/phoenix/services/proxyconf/probe"
	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

const (
	probeFor   = 20 * time.Second // one order that proves the CA
	startFor   = 15 * time.Second // until Traefik's API answers
	stopFor    = 15 * time.Second // until Traefik has finished its requests
	lifeWatch  = 5 * time.Second  // between two looks at the unit
	alivePause = 10 * time.Millisecond
)

// Units is what is needed of a unit manager.
type Units interface {
	Define(ctx context.Context, u unit.Unit) (changed bool, err error)
	Start(ctx context.Context, name string) error
	Status(ctx context.Context, name string) (unit.Status, error)
}

// Life keeps Traefik running.
type Life struct {
	bell
	site   Site
	book   *book.Book
	folder traefik.Folder
	client *traefik.Client
	units  Units
	routes *Routes
	log    *slog.Logger
	next   []func()

	pid     int       // of the process that was last seen
	defined unit.Unit // as it was last defined
	proven  uint64    // sequence of the ca.ready whose CA was proven for the start under way
}

// NewLife returns the reconciler of Traefik's process.
func NewLife(site Site, b *book.Book, folder traefik.Folder, client *traefik.Client, units Units, routes *Routes, log *slog.Logger) *Life {
	l := &Life{
		bell: newBell(), site: site, book: b, folder: folder, client: client, units: units, routes: routes,
		log: log.With("part", "life"),
	}
	b.Notify(l.Ring)
	return l
}

// Notify has ring called when Traefik's process is another one, or gone. It is
// called before Run.
func (l *Life) Notify(ring func()) { l.next = append(l.next, ring) }

// Run keeps Traefik running until ctx ends; Traefik then runs on.
func (l *Life) Run(ctx context.Context) error {
	// It takes a moment, and is needed as soon as the CA is ready.
	if _, err := storage.AccountKey(l.folder.Account()); err != nil {
		return err
	}
	return loop(ctx, l.bell, l.log, l.step)
}

// Healthy says whether Traefik answers.
func (l *Life) Healthy(ctx context.Context) error {
	facts := l.book.Facts()
	if !facts.CA.Known() || !facts.Proxy.Known() {
		return errors.New("waits for ca.ready and container.ready")
	}
	return l.client.Alive(ctx)
}

func (l *Life) step(ctx context.Context) (time.Duration, error) {
	facts := l.book.Facts()
	if !facts.CA.Known() || !facts.Proxy.Known() {
		return 0, nil
	}
	wish, err := l.wish(facts)
	if err != nil {
		return 0, err
	}
	status, err := l.units.Status(ctx, l.site.Unit)
	if err != nil && !errors.Is(err, unit.ErrNotFound) {
		return 0, fmt.Errorf("ask for Traefik's unit: %w", err)
	}
	l.compareProcess(ctx, status.PID)
	running := err == nil && status.State == unit.Active
	if running && wish.Equal(l.defined) {
		return lifeWatch, nil
	}
	if err == nil && status.State != unit.Inactive {
		return lifeWatch, l.start(ctx, wish) // it runs, or is being started again
	}
	if err := l.prove(ctx, facts); err != nil {
		return 0, err
	}
	return lifeWatch, l.start(ctx, wish)
}

// compareProcess notices that Traefik was started again, or is gone.
func (l *Life) compareProcess(ctx context.Context, pid int) {
	if former := l.pid; former != 0 && former != pid {
		l.log.WarnContext(ctx, "Traefik's process is another one", "former", former, "now", pid)
		for _, ring := range l.next {
			ring()
		}
	}
	l.pid = pid
}

// wish writes the static configuration and returns the unit that runs Traefik
// with it.
func (l *Life) wish(facts book.Facts) (unit.Unit, error) {
	root, err := l.folder.Trust([]byte(facts.CA.Root))
	if err != nil {
		return unit.Unit{}, err
	}
	content, err := traefik.Static{
		HTTPS: l.site.HTTPS, API: l.site.API, Gateway: l.site.Gateway,
		ACMEDirectory: facts.CA.ACMEDirectory, RootFile: root, Life: lifeOf(facts.CA), Resolvers: resolvers,
		Storage: l.folder.Storage(), Dynamic: l.folder.Dynamic(),
	}.Marshal()
	if err != nil {
		return unit.Unit{}, err
	}
	config, err := l.folder.WriteStatic(content)
	if err != nil {
		return unit.Unit{}, err
	}
	info, err := os.Stat(l.site.Traefik)
	if err != nil {
		return unit.Unit{}, fmt.Errorf("find Traefik: %w", err)
	}
	return unit.Unit{
		Name: l.site.Unit, Container: strconv.Itoa(facts.Proxy.ID), Dir: string(l.folder), Enabled: true, StopTimeout: stopFor,
		Exec: Launch{Folder: l.folder, Domain: l.site.Domain, Root: root, Traefik: l.site.Traefik, Config: config}.command(l.site.Self),
		// Size and time tell a new build as well as its digest, which takes long.
		Digest: fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano()),
	}, nil
}

func lifeOf(ca book.CA) time.Duration { return time.Duration(ca.Duration) * time.Second }

// prove orders a certificate for a name of the stack's own: Traefik tries its
// first orders once, so it is started when they will succeed.
func (l *Life) prove(ctx context.Context, facts book.Facts) error {
	if l.proven == facts.CA.Sequence {
		return nil
	}
	key, err := storage.AccountKey(l.folder.Account())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(facts.CA.Context(ctx), probeFor)
	defer cancel()
	began := time.Now()
	leaf, err := probe.Order{
		Directory: facts.CA.ACMEDirectory, Roots: pool(facts.CA.Root), Account: key,
		Host: l.site.probeHost(), Listen: l.site.HTTPS,
	}.Run(ctx)
	if err != nil {
		return err
	}
	l.proven = facts.CA.Sequence
	l.log.InfoContext(ctx, "the CA issues", "host", l.site.probeHost(), "took", time.Since(began))
	l.compareLife(ctx, leaf, lifeOf(facts.CA))
	return nil
}

// compareLife warns when certificates live shorter than the CA says: Traefik,
// which is told that, would renew them too often or too late.
func (l *Life) compareLife(ctx context.Context, leaf *x509.Certificate, told time.Duration) {
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life < told {
		l.log.ErrorContext(ctx, "certificates live shorter than the CA says", "life", life, "told", told)
	}
}

// start has Traefik running with the wished configuration.
func (l *Life) start(ctx context.Context, wish unit.Unit) error {
	if err := l.routes.prepare(); err != nil {
		return err
	}
	changed, err := l.units.Define(ctx, wish)
	if err != nil {
		return fmt.Errorf("define Traefik's unit: %w", err)
	}
	if err := l.units.Start(ctx, wish.Name); err != nil {
		return fmt.Errorf("start Traefik: %w", err)
	}
	if err := l.alive(ctx); err != nil {
		return fmt.Errorf("wait for Traefik: %w", err)
	}
	l.defined, l.proven = wish, 0
	l.log.InfoContext(ctx, "Traefik runs", "defined_anew", changed)
	l.routes.Ring()
	return nil
}

// alive waits until the API answers.
func (l *Life) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	for {
		err := l.client.Alive(ctx)
		if err == nil || !rest(ctx, nil, alivePause) {
			return err
		}
	}
}

// pool returns the certificates of a PEM text.
func pool(text string) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM([]byte(text))
	return p
}
