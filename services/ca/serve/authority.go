package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// ErrNotServing says that there is no CA to sign now.
var ErrNotServing = errors.New("the CA does not serve")

// Authority has the CA running from the first container.ready on.
type Authority struct {
	options stepca.Options
	book    *book.Book
	issued  *Issued
	speaker Speaker
	log     *slog.Logger

	mu      sync.RWMutex // held for reading while the CA is used
	ca      *stepca.CA
	problem error // why there is none
}

// NewAuthority returns an Authority that runs the CA with these options.
func NewAuthority(o stepca.Options, b *book.Book, issued *Issued, speaker Speaker, log *slog.Logger) *Authority {
	o.Signed = func(c stepca.Certificate) {
		if c.Way != stepca.WayBus { // told of by who had it signed
			issued.Add(c)
		}
	}
	o.Log = log
	return &Authority{
		options: o, book: b, issued: issued, speaker: speaker, log: log,
		problem: errors.New("waits for container.ready"),
	}
}

// Sign has the CA sign.
func (a *Authority) Sign(ctx context.Context, ask stepca.Ask) (stepca.Certificate, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.ca == nil {
		return stepca.Certificate{}, fmt.Errorf("%w: %w", ErrNotServing, a.problem)
	}
	return a.ca.Sign(ctx, ask)
}

// Healthy says whether the CA answers a client that verifies it.
func (a *Authority) Healthy(ctx context.Context) error {
	a.mu.RLock()
	ca, problem := a.ca, a.problem
	a.mu.RUnlock()
	if ca == nil {
		return problem
	}
	return ca.Probe(ctx)
}

// set takes another CA into use, after nobody uses the former any more.
func (a *Authority) set(ca *stepca.CA, problem error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ca, a.problem = ca, problem
}

// Run keeps the CA running until ctx ends.
func (a *Authority) Run(ctx context.Context) error {
	retry := newBackOff()
	for {
		began := time.Now()
		err := a.live(ctx)
		if ctx.Err() != nil {
			return err
		}
		if time.Since(began) > time.Minute {
			retry.Reset()
		}
		pause := retry.NextBackOff()
		a.set(nil, err)
		a.log.ErrorContext(ctx, "the CA does not serve; tried again", "err", err, "again", pause)
		if !rest(ctx, pause) {
			return nil
		}
	}
}

// live opens the CA, once it is wished for, and serves until ctx ends or
// something fails.
func (a *Authority) live(ctx context.Context) (err error) {
	if !a.wished(ctx) {
		return nil
	}
	began := time.Now()
	ca, err := stepca.Open(ctx, a.options)
	if err != nil {
		return err
	}
	a.set(ca, nil)
	defer func() {
		a.set(nil, errors.New("it is being closed"))
		err = errors.Join(err, ca.Close())
	}()
	a.log.InfoContext(ctx, "the CA is open", "created", ca.Created(), "url", ca.URL(), "took", time.Since(began))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ca.Run(ctx) })
	group.Go(func() error { return a.catchUp(ctx, ca) })
	group.Go(func() error { return a.announce(ctx, ca) })
	return group.Wait()
}

// wished waits for the container.ready of the CA's own container.
func (a *Authority) wished(ctx context.Context) bool {
	for {
		container, _, changed := a.book.Facts()
		if container.Known() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// catchUp tells of certificates that were signed and, before a crash, not told
// of.
func (a *Authority) catchUp(ctx context.Context, ca *stepca.CA) error {
	retry := newBackOff()
	for {
		known, err := a.book.AllIssued(ctx)
		if err == nil {
			return a.addUntold(ca, known)
		}
		pause := retry.NextBackOff()
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "the certificates told of are not known; tried again", "err", err, "again", pause)
		}
		if !rest(ctx, pause) {
			return nil
		}
	}
}

func (a *Authority) addUntold(ca *stepca.CA, known map[string]struct{}) error {
	untold, err := ca.Signed(func(serial string) bool {
		_, ok := known[serial]
		return ok
	})
	a.issued.Add(untold...)
	if err != nil {
		a.log.Error("some certificates can't be told of", "err", err)
	}
	return nil
}

// announce says ca.ready after the CA was seen to answer: once for each
// container.ready, and when what it says has changed.
func (a *Authority) announce(ctx context.Context, ca *stepca.CA) error {
	retry := newBackOff()
	for {
		container, _, changed := a.book.Facts()
		err := a.answer(ctx, ca, container)
		if err == nil {
			retry.Reset()
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
			}
			continue
		}
		pause := retry.NextBackOff()
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "ca.ready is not said yet", "err", err, "again", pause)
		}
		if !rest(ctx, pause) {
			return nil
		}
	}
}

func (a *Authority) answer(ctx context.Context, ca *stepca.CA, container book.Container) error {
	if err := ca.Probe(ctx); err != nil {
		return err
	}
	answer := book.Answer{Sequence: container.Sequence, CAReady: readyOf(ca)}
	if a.book.Answer() == answer {
		return nil
	}
	if _, err := a.speaker.Publish(container.Context(ctx), answer.CAReady, events.WithKey(keyOf(answer))); err != nil {
		return err
	}
	if err := a.book.SetAnswer(ctx, answer, time.Now()); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "the CA answers", "url", answer.URL, "run", container.Run)
	return nil
}

func readyOf(ca *stepca.CA) events.CAReady {
	root, fingerprint := ca.Root()
	return events.CAReady{
		URL: ca.URL(), ACMEDirectory: ca.ACMEDirectory(), Root: root, RootFingerprint: fingerprint,
		Duration: int64(ca.Duration() / time.Second),
	}
}

// keyOf tells an answer from every other one.
func keyOf(a book.Answer) string {
	sum := sha256.Sum256(fmt.Append(nil, a.CAReady))
	return fmt.Sprintf("%d-%s", a.Sequence, hex.EncodeToString(sum[:8]))
}
