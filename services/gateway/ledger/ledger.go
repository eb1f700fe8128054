package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Bucket is what the ledger needs of a bucket.
type Bucket interface {
	Put(ctx context.Context, key string, value []byte) (revision uint64, err error)
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, prefix string) (map[string][]byte, error)
}

var _ Bucket = (*events.Bucket)(nil)

// The keys in the bucket. Those that end with a dot are followed by a host.
const (
	keyContainer = "container"
	keyProxy     = "proxy"
	keyRoot      = "root"
	keyUpstream  = "upstream"
	keyAnswer    = "answer"
	keyWish      = "wish."
	keyHost      = "host." // events.GatewayHost, which others read
)

// Ledger is safe for concurrent use, but for two calls of SetHost or
// RemoveHost about the same host.
type Ledger struct {
	bucket  Bucket
	changed chan struct{}

	record sync.Mutex // held from the comparison of sequences to the end of the write

	mu    sync.Mutex
	state State
}

// Open reads the whole bucket. It is complete, or an error.
func Open(ctx context.Context, bucket Bucket) (*Ledger, error) {
	l := &Ledger{bucket: bucket, changed: make(chan struct{}, 1)}
	raws, err := bucket.List(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	if l.state, err = read(raws); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return l, nil
}

// read decodes the bucket's content.
func read(raws map[string][]byte) (State, error) {
	s := State{Wishes: map[string]Wish{}, Hosts: map[string]events.GatewayHost{}}
	var errs []error
	for key, raw := range raws {
		var err error
		switch {
		case key == keyContainer:
			err = json.Unmarshal(raw, &s.Container)
		case key == keyProxy:
			err = json.Unmarshal(raw, &s.Proxy)
		case key == keyRoot:
			err = json.Unmarshal(raw, &s.Root)
		case key == keyUpstream:
			err = json.Unmarshal(raw, &s.Upstream)
		case key == keyAnswer:
			err = json.Unmarshal(raw, &s.Answer)
		case strings.HasPrefix(key, keyWish):
			err = readInto(s.Wishes, key[len(keyWish):], raw)
		case strings.HasPrefix(key, keyHost):
			err = readInto(s.Hosts, key[len(keyHost):], raw)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return s, errors.Join(errs...)
}

func readInto[T any](m map[string]T, host string, raw []byte) error {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	m[host] = v
	return nil
}

// State returns all that is known now.
func (l *Ledger) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.clone()
}

// Changed gives one value after any number of records.
func (l *Ledger) Changed() <-chan struct{} { return l.changed }

// recorded is a record with the sequence of its message.
type recorded interface{ sequence() uint64 }

// SetContainer records what was told of the gateway's container.
func (l *Ledger) SetContainer(ctx context.Context, c Container) error {
	return record(ctx, l, keyContainer, c, func(s *State) *Container { return &s.Container })
}

// SetProxy records what was told of Traefik's container.
func (l *Ledger) SetProxy(ctx context.Context, p Proxy) error {
	return record(ctx, l, keyProxy, p, func(s *State) *Proxy { return &s.Proxy })
}

// SetRoot records the CA's root.
func (l *Ledger) SetRoot(ctx context.Context, r Root) error {
	return record(ctx, l, keyRoot, r, func(s *State) *Root { return &s.Root })
}

// SetUpstream records where Traefik is.
func (l *Ledger) SetUpstream(ctx context.Context, u Upstream) error {
	return record(ctx, l, keyUpstream, u, func(s *State) *Upstream { return &s.Upstream })
}

// SetAnswer records which container.ready was answered.
func (l *Ledger) SetAnswer(ctx context.Context, a Answer) error {
	return record(ctx, l, keyAnswer, a, func(s *State) *Answer { return &s.Answer })
}

// record writes v unless what is there is from the same message or a newer one.
func record[T recorded](ctx context.Context, l *Ledger, key string, v T, place func(*State) *T) error {
	l.record.Lock()
	defer l.record.Unlock()
	l.mu.Lock()
	former := (*place(&l.state)).sequence()
	l.mu.Unlock()
	if former >= v.sequence() {
		return nil
	}
	if err := l.put(ctx, key, v); err != nil {
		return err
	}
	l.mu.Lock()
	*place(&l.state) = v
	l.mu.Unlock()
	l.tell()
	return nil
}

// SetWish records what is wished for a host.
func (l *Ledger) SetWish(ctx context.Context, w Wish) error {
	l.record.Lock()
	defer l.record.Unlock()
	l.mu.Lock()
	former := l.state.Wishes[w.Host].Sequence
	l.mu.Unlock()
	if former >= w.Sequence {
		return nil
	}
	if err := l.put(ctx, keyWish+w.Host, w); err != nil {
		return err
	}
	l.mu.Lock()
	l.state.Wishes[w.Host] = w
	l.mu.Unlock()
	l.tell()
	return nil
}

// SetHost records what was seen of a host, unless that is known.
func (l *Ledger) SetHost(ctx context.Context, h events.GatewayHost) error {
	l.mu.Lock()
	former, ok := l.state.Hosts[h.Host]
	l.mu.Unlock()
	if ok && former == h {
		return nil
	}
	if err := l.put(ctx, keyHost+h.Host, h); err != nil {
		return err
	}
	l.mu.Lock()
	l.state.Hosts[h.Host] = h
	l.mu.Unlock()
	return nil
}

// RemoveHost records that a host is not served any more.
func (l *Ledger) RemoveHost(ctx context.Context, host string) error {
	l.mu.Lock()
	_, ok := l.state.Hosts[host]
	l.mu.Unlock()
	if !ok {
		return nil
	}
	if err := l.bucket.Delete(ctx, keyHost+host); err != nil {
		return fmt.Errorf("record that %s is gone: %w", host, err)
	}
	l.mu.Lock()
	delete(l.state.Hosts, host)
	l.mu.Unlock()
	return nil
}

func (l *Ledger) put(ctx context.Context, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	if _, err := l.bucket.Put(ctx, key, raw); err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	return nil
}

func (l *Ledger) tell() {
	select {
	case l.changed <- struct{}{}:
	default: // somebody will look anyway
	}
}
