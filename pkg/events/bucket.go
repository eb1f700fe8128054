package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// Bucket is a service's own key-value store. Reading across accounts works by
// direct gets alone: watching and listing keys would see nothing and say so in
// no way, hence they are not offered.
type Bucket struct {
	bus  *Bus
	name string

	mu sync.Mutex
	kv jetstream.KeyValue
}

// Bucket returns the bucket of that name. It is opened at first use.
func (b *Bus) Bucket(name string) *Bucket { return &Bucket{bus: b, name: name} }

func (k *Bucket) open(ctx context.Context) (jetstream.KeyValue, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kv != nil {
		return k.kv, nil
	}
	kv, err := k.bus.js.KeyValue(ctx, k.name)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", k.name, err)
	}
	k.kv = kv
	return kv, nil
}

// Get returns the value and its revision, or ErrNotFound.
func (k *Bucket) Get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	kv, err := k.open(ctx)
	if err != nil {
		return nil, 0, err
	}
	e, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, fmt.Errorf("%s/%s: %w", k.name, key, ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("get %s/%s: %w", k.name, key, err)
	}
	return e.Value(), e.Revision(), nil
}

// Put writes whatever was there before.
func (k *Bucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	return k.write(ctx, key, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return kv.Put(ctx, key, value)
	})
}

// Create writes a key that must not be there, else ErrConflict.
func (k *Bucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	return k.write(ctx, key, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return kv.Create(ctx, key, value)
	})
}

// Update writes a key whose revision is still the given one, else ErrConflict.
func (k *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return k.write(ctx, key, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return kv.Update(ctx, key, value, revision)
	})
}

// Delete removes a key; one that is not there is no error.
func (k *Bucket) Delete(ctx context.Context, key string) error {
	_, err := k.write(ctx, key, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return 0, kv.Delete(ctx, key)
	})
	return err
}

func (k *Bucket) write(ctx context.Context, key string, do func(context.Context, jetstream.KeyValue) (uint64, error)) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	kv, err := k.open(ctx)
	if err != nil {
		return 0, err
	}
	rev, err := do(ctx, kv)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return 0, fmt.Errorf("write %s/%s: %w", k.name, key, ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("write %s/%s: %w", k.name, key, err)
	}
	return rev, nil
}

// List returns the values of all keys that start with prefix. It is complete,
// or an error: an answer that was cut short is never taken for an empty bucket.
func (k *Bucket) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	start := "$KV." + k.name + "."
	err := k.bus.scan(ctx, "KV_"+k.name, start+">", func(m *jetstream.RawStreamMsg) error {
		key := strings.TrimPrefix(m.Subject, start)
		if !strings.HasPrefix(key, prefix) {
			return nil
		}
		if op := m.Header.Get("KV-Operation"); op == "DEL" || op == "PURGE" {
			delete(out, key)
			return nil
		}
		out[key] = m.Data
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list bucket %s: %w", k.name, err)
	}
	return out, nil
}

// Load reads the value under key as JSON.
func Load[T any](ctx context.Context, k *Bucket, key string) (v T, revision uint64, err error) {
	raw, revision, err := k.Get(ctx, key)
	if err != nil {
		return v, 0, err
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, 0, fmt.Errorf("read %s/%s: %w", k.name, key, err)
	}
	return v, revision, nil
}

// Save writes v as JSON, whatever was there before.
func Save[T any](ctx context.Context, k *Bucket, key string, v T) (revision uint64, err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("write %s/%s: %w", k.name, key, err)
	}
	return k.Put(ctx, key, raw)
}

// All reads the values of all keys that start with prefix as JSON.
func All[T any](ctx context.Context, k *Bucket, prefix string) (map[string]T, error) {
	raws, err := k.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := make(map[string]T, len(raws))
	for key, raw := range raws {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("read %s/%s: %w", k.name, key, err)
		}
		out[key] = v
	}
	return out, nil
}
