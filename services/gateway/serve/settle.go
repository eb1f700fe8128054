package serve

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
)

// lookFor is how long a handshake may take to show what was placed: nginx may
// be starting.
const lookFor = 3 * time.Second

// Sealed is where sealed pairs lie.
type Sealed interface {
	GetSealed(ctx context.Context, host string) (data []byte, sequence uint64, err error)
}

// errMissing marks that only a pair that is handed over again helps.
var errMissing = errors.New("the pair has to be handed over again")

// known is what a task needs to know beside its wish.
type known struct {
	roots *x509.CertPool
	proxy string // proxyconf's public curve key
}

// settler does what has to be done for one host at a time. Tasks for different
// hosts may run side by side.
type settler struct {
	site   Site
	own    nkeys.KeyPair
	pairs  *nginx.Pairs
	sealed Sealed
}

// settle has nginx show the wished pair, and returns what a handshake showed.
// With an error, that is what it showed instead: an older pair, or nothing.
func (s *settler) settle(ctx context.Context, w ledger.Wish, k known) (nginx.Served, error) {
	if !s.placed(w, k) {
		pair, err := s.fetch(ctx, w, k)
		if err == nil {
			err = s.pairs.Place(ctx, pair)
		}
		if err != nil {
			served, _ := s.look(ctx, s.site.HTTPS[0], w.Host, k.roots) // whatever is still there
			return served, err
		}
	}
	return s.await(ctx, w, k)
}

// placed says whether the wished pair lies where nginx looks, and is good.
func (s *settler) placed(w ledger.Wish, k known) bool {
	pair, ok := s.pairs.Get(w.Host)
	return ok && pair.Serial == w.Serial && pair.Verify(k.roots) == nil
}

// fetch gets the wished pair and checks everything about it.
func (s *settler) fetch(ctx context.Context, w ledger.Wish, k known) (seal.Pair, error) {
	data, _, err := s.sealed.GetSealed(ctx, w.Host)
	if errors.Is(err, events.ErrNotFound) {
		return seal.Pair{}, fmt.Errorf("%w: %w", errMissing, err)
	}
	if err != nil {
		return seal.Pair{}, err
	}
	pair, err := seal.Open(data, s.own, k.proxy, w.Host)
	if err == nil {
		err = pair.Verify(k.roots)
	}
	if err == nil && pair.Serial != w.Serial {
		err = fmt.Errorf("the sealed pair of %s has the serial %s, announced was %s", w.Host, pair.Serial, w.Serial)
	}
	if err != nil {
		return seal.Pair{}, fmt.Errorf("%w: %w", errMissing, err)
	}
	return pair, nil
}

// await shakes hands until the wished serial is shown.
func (s *settler) await(ctx context.Context, w ledger.Wish, k known) (nginx.Served, error) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 10*time.Millisecond, 250*time.Millisecond
	var served nginx.Served
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		var err error
		if served, err = s.look(ctx, s.site.HTTPS[0], w.Host, k.roots); err != nil {
			return struct{}{}, err
		}
		if served.Serial != w.Serial {
			return struct{}{}, fmt.Errorf("nginx shows the serial %s for %s, placed was %s", served.Serial, w.Host, w.Serial)
		}
		return struct{}{}, nil
	}, backoff.WithBackOff(retry), backoff.WithMaxElapsedTime(lookFor))
	return served, err
}

// look makes one handshake.
func (s *settler) look(ctx context.Context, addr netip.AddrPort, host string, roots *x509.CertPool) (nginx.Served, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	return nginx.Probe(ctx, addr, host, roots)
}
