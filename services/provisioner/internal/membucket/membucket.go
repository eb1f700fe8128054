// Package membucket is a bucket in memory, for tests that need no bus.
package membucket

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Bucket behaves as a bucket on the bus does. It is safe for concurrent use.
type Bucket struct {
	// Fail, if set, is asked before each write; its error is the write's.
	Fail func(verb, key string) error

	mu       sync.Mutex
	revision uint64
	entries  map[string]entry
	writes   []string
}

type entry struct {
	value    []byte
	revision uint64
}

// New returns an empty bucket.
func New() *Bucket { return &Bucket{entries: map[string]entry{}} }

// Get returns the value and its revision, or events.ErrNotFound.
func (b *Bucket) Get(_ context.Context, key string) ([]byte, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[key]
	if !ok {
		return nil, 0, fmt.Errorf("%s: %w", key, events.ErrNotFound)
	}
	return slices.Clone(e.value), e.revision, nil
}

// Put writes whatever was there before.
func (b *Bucket) Put(_ context.Context, key string, value []byte) (uint64, error) {
	return b.write("put", key, value, func(entry, bool) bool { return true })
}

// Create writes a key that must not be there.
func (b *Bucket) Create(_ context.Context, key string, value []byte) (uint64, error) {
	return b.write("create", key, value, func(_ entry, there bool) bool { return !there })
}

// Update writes a key whose revision is still the given one.
func (b *Bucket) Update(_ context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return b.write("update", key, value, func(e entry, there bool) bool { return there && e.revision == revision })
}

// Delete removes a key.
func (b *Bucket) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fail("delete", key); err != nil {
		return err
	}
	delete(b.entries, key)
	return nil
}

// List returns the values of all keys that start with prefix.
func (b *Bucket) List(_ context.Context, prefix string) (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string][]byte{}
	for key, e := range b.entries {
		if strings.HasPrefix(key, prefix) {
			out[key] = slices.Clone(e.value)
		}
	}
	return out, nil
}

// Keys lists the keys that are there, in order.
func (b *Bucket) Keys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.entries))
}

// Writes lists the keys that were written or deleted, in the order in which
// that happened.
func (b *Bucket) Writes() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.writes)
}

func (b *Bucket) write(verb, key string, value []byte, allowed func(entry, bool) bool) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fail(verb, key); err != nil {
		return 0, err
	}
	e, there := b.entries[key]
	if !allowed(e, there) {
		return 0, fmt.Errorf("%s: %w", key, events.ErrConflict)
	}
	b.revision++
	b.entries[key] = entry{slices.Clone(value), b.revision}
	return b.revision, nil
}

func (b *Bucket) fail(verb, key string) error {
	if b.Fail != nil {
		if err := b.Fail(verb, key); err != nil {
			return err
		}
	}
	b.writes = append(b.writes, verb+" "+key)
	return nil
}
