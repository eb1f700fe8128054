package reconcile

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Stacks runs one reconciler per stack.
type Stacks struct {
	reconciler func(stack string) *Reconciler

	mu      sync.Mutex
	known   map[string]*Reconciler
	waiting []*Reconciler // to be run
	more    chan struct{}
}

// NewStacks returns a Stacks whose reconcilers are made by that function.
func NewStacks(reconciler func(stack string) *Reconciler) *Stacks {
	return &Stacks{reconciler: reconciler, known: map[string]*Reconciler{}, more: make(chan struct{}, 1)}
}

// Wake tells the reconciler of a stack that its state has changed. One that
// does not run yet is run. It never blocks.
func (s *Stacks) Wake(stack string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.known[stack]
	if !ok {
		r = s.reconciler(stack)
		s.known[stack] = r
		s.waiting = append(s.waiting, r)
	}
	r.Wake()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// Run runs the reconcilers until ctx ends.
func (s *Stacks) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for {
		for _, r := range s.take() {
			group.Go(func() error { return r.Run(ctx) })
		}
		select {
		case <-ctx.Done():
			return group.Wait()
		case <-s.more:
		}
	}
}

// take returns the reconcilers that are to be run.
func (s *Stacks) take() []*Reconciler {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.waiting
	s.waiting = nil
	return out
}
