package serve

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nkeys"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

const (
	handsAtOnce = 8
	// handAgain is the shortest time between two hand-overs of the same pair: a
	// gateway that is about to take the first need not get a second.
	handAgain = 5 * time.Second
)

// Courier carries sealed pairs. It is the bus.
type Courier interface {
	Speaker
	PutSealed(ctx context.Context, host string, data []byte) (subject string, sequence uint64, err error)
}

// Handover gives the gateway the pairs that it shall show.
type Handover struct {
	bell
	site         Site
	book         *book.Book
	certificates *Certificates
	courier      Courier
	own          nkeys.KeyPair // curve key pair of this container
	log          *slog.Logger

	mu    sync.Mutex
	tried map[string]time.Time // host → newest hand-over
}

// NewHandover returns the reconciler of what the gateway has.
func NewHandover(site Site, b *book.Book, certificates *Certificates, courier Courier, own nkeys.KeyPair, log *slog.Logger) *Handover {
	h := &Handover{
		bell: newBell(), site: site, book: b, certificates: certificates, courier: courier, own: own,
		log: log.With("part", "handover"), tried: map[string]time.Time{},
	}
	b.Notify(h.Ring)
	b.NotifyReports(h.Ring)
	certificates.Notify(h.Ring)
	return h
}

// Run hands pairs over until ctx ends.
func (h *Handover) Run(ctx context.Context) error { return loop(ctx, h.bell, h.log, h.step) }

// errand is one pair to be handed over.
type errand struct {
	service string
	pair    seal.Pair
	origin  book.Origin
}

func (h *Handover) step(ctx context.Context) (time.Duration, error) {
	gateway := h.book.Facts().Gateway
	if !gateway.Known() {
		return 0, nil
	}
	errands, withdrawn, again := h.due(gateway.Curve, time.Now())
	var group errgroup.Group // one that fails doesn't keep the others
	group.SetLimit(handsAtOnce)
	for _, e := range errands {
		group.Go(func() error { return h.hand(ctx, gateway.Curve, e) })
	}
	for _, w := range withdrawn {
		group.Go(func() error { return h.withdraw(ctx, w) })
	}
	return again, group.Wait()
}

// due compares what the gateway was given with what it shall have.
func (h *Handover) due(curve string, now time.Time) (errands []errand, withdrawn []book.Handed, again time.Duration) {
	wanted, handed, asked, hosts := h.wanted(), h.book.Handed(), h.book.Again(), h.certificates.Hosts()
	h.mu.Lock()
	defer h.mu.Unlock()
	for host, e := range wanted {
		e.pair = hosts[host].Pair
		given := handed[host]
		_, lacks := asked[host]
		same := given.Serial == e.pair.Serial && given.Curve == curve && given.Service == e.service
		if e.pair.Serial == "" || same && !lacks {
			continue
		}
		if wait := h.tried[host].Add(handAgain).Sub(now); lacks && wait > 0 {
			again = sooner(again, wait)
			continue
		}
		h.tried[host] = now
		errands = append(errands, e)
	}
	for host, given := range handed {
		if _, ok := wanted[host]; !ok {
			withdrawn = append(withdrawn, given)
		}
	}
	for host := range asked {
		_, known := handed[host]
		if _, ok := wanted[host]; !ok && !known {
			withdrawn = append(withdrawn, book.Handed{Host: host})
		}
	}
	return errands, withdrawn, again
}

// wanted returns what the gateway shall show, by host.
func (h *Handover) wanted() map[string]errand {
	out := map[string]errand{h.site.GatewayHost(): {origin: h.book.Facts().Gateway.Origin}}
	for _, s := range h.book.Services() {
		for _, host := range s.Hosts {
			out[host] = errand{service: s.Name, origin: h.book.Origin(s.Name)}
		}
	}
	return out
}

// hand seals one pair and says where it lies.
func (h *Handover) hand(ctx context.Context, curve string, e errand) error {
	ctx = e.origin.Context(ctx)
	data, err := seal.Seal(e.pair, curve, h.own)
	if err != nil {
		return err
	}
	subject, sequence, err := h.courier.PutSealed(ctx, e.pair.Host, data)
	if err != nil {
		return err
	}
	ack, err := h.courier.Publish(ctx, events.GatewayCertificate{
		Host: e.pair.Host, Service: e.service, Serial: e.pair.Serial, NotAfter: e.pair.NotAfter,
		Sealed: subject, Sequence: sequence,
	})
	if err != nil {
		return fmt.Errorf("hand the pair of %s over: %w", e.pair.Host, err)
	}
	h.log.InfoContext(ctx, "pair handed over", "host", e.pair.Host, "serial", e.pair.Serial, "not_after", e.pair.NotAfter)
	return h.book.SetHanded(ctx, book.Handed{
		Host: e.pair.Host, Service: e.service, Serial: e.pair.Serial, Curve: curve, Sequence: ack.Sequence,
	})
}

// withdraw says that a host is not to be shown any more.
func (h *Handover) withdraw(ctx context.Context, given book.Handed) error {
	said := events.GatewayCertificate{Host: given.Host, Service: given.Service, Serial: given.Serial, Withdrawn: true}
	if _, err := h.courier.Publish(h.book.Origin(given.Service).Context(ctx), said); err != nil {
		return fmt.Errorf("withdraw the pair of %s: %w", given.Host, err)
	}
	h.log.InfoContext(ctx, "pair withdrawn", "host", given.Host)
	h.mu.Lock()
	delete(h.tried, given.Host)
	h.mu.Unlock()
	return h.book.RemoveHanded(ctx, given.Host)
}
