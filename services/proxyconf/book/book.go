package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// Bucket is what the book needs of a bucket.
type Bucket interface {
	Put(ctx context.Context, key string, value []byte) (revision uint64, err error)
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, prefix string) (map[string][]byte, error)
}

var _ Bucket = (*events.Bucket)(nil)

// The keys in the bucket. Those that end with a dot are followed by a service's
// name or a host.
const (
	keyCA       = "ca"
	keyProxy    = "container.proxy"
	keyGateway  = "container.gateway"
	keyAnswered = "answered"
	keyApplied  = "applied"
	keyState    = "service." // events.ServiceState, which others read
	keyHanded   = "handed."
	keyBackend  = "backend."
)

// Book is safe for concurrent use.
type Book struct {
	bucket Bucket

	record sync.Mutex // held from the comparison with what is known to the end of the write

	mu      sync.Mutex
	content content
	claims  *registry.Ledger
	origins map[string]Origin // service → newest registration heard in this life
	wishes  []func()          // rung when claims or facts change
	reports []func()          // rung when the gateway lacks something
}

// Open reads the whole bucket. It is complete, or an error.
func Open(ctx context.Context, bucket Bucket, rules registry.Rules) (*Book, error) {
	raws, err := bucket.List(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("open the book: %w", err)
	}
	b := &Book{bucket: bucket, content: newContent(), origins: map[string]Origin{}}
	var entries []registry.Entry
	var errs []error
	for key, raw := range raws {
		if strings.HasPrefix(key, registry.Prefix) {
			var e registry.Entry
			errs = append(errs, decode(key, raw, &e))
			entries = append(entries, e)
			continue
		}
		errs = append(errs, b.content.read(key, raw))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("open the book: %w", err)
	}
	b.claims = registry.New(rules, entries...)
	return b, nil
}

func (c *content) read(key string, raw []byte) error {
	switch {
	case key == keyCA:
		return decode(key, raw, &c.facts.CA)
	case key == keyProxy:
		return decode(key, raw, &c.facts.Proxy)
	case key == keyGateway:
		return decode(key, raw, &c.facts.Gateway)
	case key == keyAnswered:
		return decode(key, raw, &c.facts.Answered)
	case key == keyApplied:
		return decode(key, raw, &c.facts.Applied)
	case strings.HasPrefix(key, keyState):
		return decodeInto(c.states, keyState, key, raw)
	case strings.HasPrefix(key, keyHanded):
		return decodeInto(c.handed, keyHanded, key, raw)
	case strings.HasPrefix(key, keyBackend):
		return decodeInto(c.backends, keyBackend, key, raw)
	}
	return nil
}

func decode(key string, raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func decodeInto[V any](m map[string]V, prefix, key string, raw []byte) error {
	var v V
	if err := decode(key, raw, &v); err != nil {
		return err
	}
	m[strings.TrimPrefix(key, prefix)] = v
	return nil
}

// Notify has ring called after each change of a claim or of what others said. It
// must not block nor ask the book.
func (b *Book) Notify(ring func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wishes = append(b.wishes, ring)
}

// NotifyReports has ring called when the gateway needs pairs once more, as Notify
// does.
func (b *Book) NotifyReports(ring func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports = append(b.reports, ring)
}

// change updates what is known, and rings.
func (b *Book) change(do func(*content), rings ...func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do(&b.content)
	for _, ring := range rings {
		ring()
	}
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

func (b *Book) remove(ctx context.Context, key string) error {
	if err := b.bucket.Delete(ctx, key); err != nil {
		return fmt.Errorf("forget %s: %w", key, err)
	}
	return nil
}
