package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// Bucket is what the book needs of a bucket.
type Bucket interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte) (revision uint64, err error)
	List(ctx context.Context, prefix string) (map[string][]byte, error)
}

var _ Bucket = (*events.Bucket)(nil)

// The keys in the bucket; claims lie under those of [registry.Prefix].
const (
	keyContainer = "container"
	keyProxy     = "proxy"
	keyAnswer    = "answer"
	keyState     = "ca"    // events.CAState, which others read
	keyCert      = "cert." // events.CertState by serial, which others read
)

// Book is safe for concurrent use.
type Book struct {
	bucket Bucket

	record sync.Mutex // held from the comparison with what is known to the end of the write

	mu            sync.Mutex
	container     Container
	proxy         Proxy
	answer        Answer
	state         events.CAState
	claims        *registry.Ledger
	claimsChanged chan struct{} // closed at the next change of a claim
	factsChanged  chan struct{} // closed at the next change of what others said
}

// Open reads the bucket. It is complete, or an error.
func Open(ctx context.Context, bucket Bucket, rules registry.Rules) (*Book, error) {
	raws, err := bucket.List(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("open the book: %w", err)
	}
	b := &Book{bucket: bucket, claimsChanged: make(chan struct{}), factsChanged: make(chan struct{})}
	var entries []registry.Entry
	var errs []error
	for key, raw := range raws {
		if strings.HasPrefix(key, registry.Prefix) {
			var e registry.Entry
			errs = append(errs, decode(key, raw, &e))
			entries = append(entries, e)
			continue
		}
		errs = append(errs, b.read(key, raw))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("open the book: %w", err)
	}
	b.claims = registry.New(rules, entries...)
	return b, nil
}

func (b *Book) read(key string, raw []byte) error {
	switch key {
	case keyContainer:
		return decode(key, raw, &b.container)
	case keyProxy:
		return decode(key, raw, &b.proxy)
	case keyAnswer:
		return decode(key, raw, &b.answer)
	case keyState:
		return decode(key, raw, &b.state)
	}
	return nil
}

func decode(key string, raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (b *Book) put(ctx context.Context, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	if _, err := b.bucket.Put(ctx, key, raw); err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	return nil
}

// Facts returns what others said, and a channel that is closed when that
// changes.
func (b *Book) Facts() (c Container, p Proxy, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.container, b.proxy, b.factsChanged
}

// SetContainer records a container.ready of the CA's own container, unless a
// newer one is known.
func (b *Book) SetContainer(ctx context.Context, c Container) error {
	b.record.Lock()
	defer b.record.Unlock()
	if known, _, _ := b.Facts(); known.Sequence >= c.Sequence {
		return nil
	}
	return b.set(ctx, keyContainer, c, func() { b.container = c })
}

// SetProxy records a container.ready of the proxy's container, unless a newer
// one is known.
func (b *Book) SetProxy(ctx context.Context, p Proxy) error {
	b.record.Lock()
	defer b.record.Unlock()
	if _, known, _ := b.Facts(); known.Sequence >= p.Sequence {
		return nil
	}
	return b.set(ctx, keyProxy, p, func() { b.proxy = p })
}

// set stores a fact and then lets it be seen.
func (b *Book) set(ctx context.Context, key string, v any, change func()) error {
	if err := b.put(ctx, key, v); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	close(b.factsChanged)
	b.factsChanged = make(chan struct{})
	return nil
}

// Answer returns what the newest ca.ready said.
func (b *Book) Answer() Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answer
}

// SetAnswer records what ca.ready said, for this service and for those who read
// the CA's state.
func (b *Book) SetAnswer(ctx context.Context, a Answer, now time.Time) error {
	b.mu.Lock()
	state := b.state
	b.mu.Unlock()
	if state.CAReady != a.CAReady {
		state = events.CAState{CAReady: a.CAReady, Since: now.UTC()}
		if err := b.put(ctx, keyState, state); err != nil {
			return err
		}
	}
	if err := b.put(ctx, keyAnswer, a); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer, b.state = a, state
	return nil
}
