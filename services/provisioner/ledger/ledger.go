// Package ledger keeps sagas in the provisioner's bucket: the state that the
// provisioner itself resumes from, and what others may read of it.
package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// Bucket is what the ledger needs of a bucket.
type Bucket interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte) (revision uint64, err error)
	Create(ctx context.Context, key string, value []byte) (revision uint64, err error)
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, prefix string) (map[string][]byte, error)
}

var _ Bucket = (*events.Bucket)(nil)

// Keys in the bucket, each followed by the stack's name or the container's id.
const (
	sagaKey      = "saga."
	stackKey     = "stack."
	containerKey = "container."
)

// conflicts bounds how often a change is tried again that somebody else was
// faster with.
const conflicts = 10

// Ledger is where the sagas of all stacks lie. It is safe for concurrent use.
type Ledger struct {
	bucket Bucket
	rules  saga.Rules

	mu     sync.Mutex
	public map[string]map[string][]byte // what others were last told: stack → key → value
}

// page is what is stored of one stack.
type page struct {
	state    saga.State
	raw      []byte // of state; nil when nothing is stored
	revision uint64
}

// New returns the ledger in that bucket.
func New(bucket Bucket, rules saga.Rules) *Ledger {
	return &Ledger{bucket: bucket, rules: rules, public: map[string]map[string][]byte{}}
}

// Stacks lists the stacks that anything is known of, ordered by name.
func (l *Ledger) Stacks(ctx context.Context) ([]string, error) {
	found, err := l.bucket.List(ctx, sagaKey)
	if err != nil {
		return nil, fmt.Errorf("list stacks: %w", err)
	}
	out := make([]string, 0, len(found))
	for key := range found {
		out = append(out, strings.TrimPrefix(key, sagaKey))
	}
	slices.Sort(out)
	return out, nil
}

// Load returns the state of a stack; that of one that is not known is absent.
func (l *Ledger) Load(ctx context.Context, stack string) (saga.State, error) {
	p, err := l.open(ctx, stack)
	return p.state, err
}

// Apply lets an event change the state of a stack, and returns once the new
// state is stored and others can read what became of it. It never works on a
// state that somebody else has changed in the meantime.
func (l *Ledger) Apply(ctx context.Context, stack string, e saga.Event) (saga.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range conflicts {
		p, err := l.open(ctx, stack)
		if err != nil {
			return saga.State{}, err
		}
		s := l.rules.Apply(p.state, e, time.Now().UTC())
		err = l.turn(ctx, p, s)
		if err == nil {
			return s, l.tell(ctx, s)
		}
		if !errors.Is(err, events.ErrConflict) {
			return saga.State{}, err
		}
	}
	return saga.State{}, fmt.Errorf("change stack %s: %w", stack, events.ErrConflict)
}

// open reads what is stored of a stack.
func (l *Ledger) open(ctx context.Context, stack string) (page, error) {
	p := page{state: saga.New(stack)}
	raw, revision, err := l.bucket.Get(ctx, sagaKey+stack)
	if errors.Is(err, events.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return page{}, fmt.Errorf("load stack %s: %w", stack, err)
	}
	p.raw, p.revision = raw, revision
	if err := json.Unmarshal(raw, &p.state); err != nil {
		return page{}, fmt.Errorf("load stack %s: %w", stack, err)
	}
	return p, nil
}

// turn stores the new state, unless it is what is stored.
func (l *Ledger) turn(ctx context.Context, p page, s saga.State) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("render stack %s: %w", s.Stack, err)
	}
	switch {
	case p.raw == nil && s.Sequence == 0: // nobody ever asked for it
		return nil
	case p.raw == nil:
		_, err = l.bucket.Create(ctx, sagaKey+s.Stack, raw)
	case !bytes.Equal(raw, p.raw):
		_, err = l.bucket.Update(ctx, sagaKey+s.Stack, raw, p.revision)
	}
	if err != nil {
		return fmt.Errorf("store stack %s: %w", s.Stack, err)
	}
	return nil
}
