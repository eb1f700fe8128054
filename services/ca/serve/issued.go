package serve

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// sideBySide is how many certificates are told of at once: the bus has each
// message safely on disk before it answers.
const sideBySide = 16

// holderACME holds the key of whatever was ordered by ACME: the challenge was
// answered there.
const holderACME = "proxy"

// Issued says cert.issued of certificates. What it was given and could not say
// before the process ended is found again in the CA's database.
type Issued struct {
	speaker Speaker
	book    *book.Book
	log     *slog.Logger
	said    *prometheus.CounterVec
	poke    chan struct{}

	mu    sync.Mutex
	queue []stepca.Certificate
}

// NewIssued returns an Issued that has nothing to say yet.
func NewIssued(speaker Speaker, b *book.Book, log *slog.Logger, metrics prometheus.Registerer) *Issued {
	i := &Issued{
		speaker: speaker, book: b, log: log, poke: make(chan struct{}, 1),
		said: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "phoenix_ca_certificates_total", Help: "Certificates told of, by the way they were asked for.",
		}, []string{"way"}),
	}
	metrics.MustRegister(i.said, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "phoenix_ca_untold_certificates", Help: "Certificates that were signed and not told of yet.",
	}, func() float64 { return float64(i.length()) }))
	return i
}

func (i *Issued) length() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.queue)
}

// Add has certificates told of by Run. It does not block.
func (i *Issued) Add(list ...stepca.Certificate) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.queue = append(i.queue, list...)
	select {
	case i.poke <- struct{}{}:
	default: // it will look anyway
	}
}

// Run tells of what was added until ctx ends. What the bus does not take is
// tried again.
func (i *Issued) Run(ctx context.Context) error {
	retry := newBackOff()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-i.poke:
		}
		err := i.sayAll(ctx)
		if err == nil {
			retry.Reset()
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		pause := retry.NextBackOff()
		i.log.WarnContext(ctx, "certificates not told of; tried again", "left", i.length(), "err", err, "again", pause)
		if !rest(ctx, pause) {
			return nil
		}
	}
}

// sayAll tells of all that is there, and puts back what failed.
func (i *Issued) sayAll(ctx context.Context) error {
	i.mu.Lock()
	list := i.queue
	i.queue = nil
	i.mu.Unlock()
	var first atomic.Pointer[error]
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for _, c := range list {
		group.Go(func() error {
			if err := i.Say(ctx, c); err != nil {
				first.CompareAndSwap(nil, &err)
				i.Add(c)
			}
			return nil
		})
	}
	_ = group.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// Say tells of one certificate, and returns when the bus has it. Of one that was
// told of it does not tell again.
func (i *Issued) Say(ctx context.Context, c stepca.Certificate) error {
	known, err := i.book.Issued(ctx, c.Serial)
	if err != nil || known {
		return err
	}
	if c.Way == stepca.WayACME {
		c.Holder = holderACME
	}
	_, err = i.speaker.Publish(ctx, events.CertIssued{
		Serial: c.Serial, Names: c.Names, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Provisioner: c.Provisioner,
		Issuer: string(c.Way), Holder: c.Holder, Request: c.Request, Chain: c.Chain,
	}, events.WithKey(c.Serial))
	if err != nil {
		return fmt.Errorf("tell of certificate %s: %w", c.Serial, err)
	}
	if err := i.book.SetIssued(ctx, events.CertState{
		Serial: c.Serial, Names: c.Names, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Provisioner: c.Provisioner,
		Issuer: string(c.Way), Holder: c.Holder,
	}); err != nil {
		return err
	}
	i.said.WithLabelValues(string(c.Way)).Inc()
	i.log.InfoContext(ctx, "certificate issued", "serial", c.Serial, "names", c.Names, "way", c.Way, "until", c.NotAfter)
	return nil
}
