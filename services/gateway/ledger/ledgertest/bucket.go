// Package ledgertest stands in for the bucket of a ledger.
package ledgertest

import (
	"context"
	"maps"
	"strings"
	"sync"
)

// Bucket keeps values in memory.
type Bucket struct {
	mu     sync.Mutex
	values map[string][]byte
	err    error
	writes uint64
}

// NewBucket returns an empty bucket.
func NewBucket() *Bucket { return &Bucket{values: map[string][]byte{}} }

// Fail has every call return err; nil ends that.
func (b *Bucket) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Writes counts what was written.
func (b *Bucket) Writes() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.writes
}

// Put implements ledger.Bucket.
func (b *Bucket) Put(_ context.Context, key string, value []byte) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	b.writes++
	b.values[key] = value
	return b.writes, nil
}

// Delete implements ledger.Bucket.
func (b *Bucket) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.writes++
		delete(b.values, key)
	}
	return b.err
}

// List implements ledger.Bucket.
func (b *Bucket) List(_ context.Context, prefix string) (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	out := maps.Clone(b.values)
	maps.DeleteFunc(out, func(key string, _ []byte) bool { return !strings.HasPrefix(key, prefix) })
	return out, nil
}
