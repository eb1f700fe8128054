package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// supervisor keeps units running, a keeper for each. Its verbs wait until it has
// taken over what the last host left.
type supervisor struct {
	machine *machine
	ctx     context.Context //nolint:containedctx // the life of the keepers' goroutines
	cancel  context.CancelFunc
	workers sync.WaitGroup
	// restored is closed when the verbs may begin.
	restored chan struct{}

	mu      sync.Mutex
	keepers map[string]*keeper
}

var _ unit.Manager = (*supervisor)(nil)

// newSupervisor returns a supervisor that is to be closed. Nothing is touched
// before restore.
func newSupervisor(m *machine) *supervisor {
	ctx, cancel := context.WithCancel(context.Background())
	s := &supervisor{machine: m, ctx: ctx, cancel: cancel, restored: make(chan struct{}), keepers: map[string]*keeper{}}
	s.workers.Go(func() { m.reaper.Run(ctx) })
	return s
}

// close ends all goroutines. Processes go on.
func (s *supervisor) close() {
	s.cancel()
	s.workers.Wait()
}

// keeper returns the keeper of that name, which is made if need be.
func (s *supervisor) keeper(name string) *keeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keepers[name]
	if !ok {
		k = newKeeper(s.machine, name)
		s.keepers[name] = k
		s.workers.Go(func() {
			defer close(k.over)
			k.run(s.ctx)
		})
	}
	return k
}

// existing returns the keeper of a unit that is defined.
func (s *supervisor) existing(name string) (*keeper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.keepers[name]; ok {
		return k, nil
	}
	return nil, fmt.Errorf("unit %s: %w", name, unit.ErrNotFound)
}

// all returns the keepers in the order of their names.
func (s *supervisor) all() []*keeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*keeper, 0, len(s.keepers))
	for _, k := range s.keepers {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b *keeper) int { return cmp.Compare(a.name, b.name) })
	return list
}

// restore takes over what the last host left: running processes are adopted,
// and what should run and does not is started if begin is set. Units that cannot
// be started are tried again, and no reason to give up.
func (s *supervisor) restore(ctx context.Context, begin bool) error {
	names, err := s.machine.store.names()
	if err != nil {
		return err
	}
	found, err := process.Find(markVariable)
	if err != nil {
		return err
	}
	for _, f := range found {
		if name, ok := s.machine.unitOf(f); ok {
			names[name] = true // its files are lost, its process is not
		}
	}
	var tasks sync.WaitGroup
	for name := range names {
		k := s.keeper(name)
		tasks.Go(func() {
			if err := k.ask(ctx, func() error { return k.restore(found, begin) }); err != nil {
				k.log.Error("unit not restored", "error", err)
			}
		})
	}
	tasks.Wait()
	close(s.restored)
	return nil
}

// shutdown stops all units, the last wanted first, and returns when nothing runs
// any more.
func (s *supervisor) shutdown(ctx context.Context) error {
	s.machine.closing.Store(true)
	list := s.all()
	slices.SortStableFunc(list, func(a, b *keeper) int { return b.wantedSince().Compare(a.wantedSince()) })
	var errs []error
	for _, k := range list {
		errs = append(errs, k.ask(ctx, k.shut))
	}
	return errors.Join(errs...)
}

// ready waits for restore.
func (s *supervisor) ready(ctx context.Context) error {
	select {
	case <-s.restored:
		return nil
	case <-s.ctx.Done():
		return fmt.Errorf("the host is ending: %w", unit.ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("wait for the host: %w", ctx.Err())
	}
}

// Define implements unit.Manager.
func (s *supervisor) Define(ctx context.Context, u unit.Unit) (bool, error) {
	if err := u.Validate(); err != nil {
		return false, err
	}
	if err := s.ready(ctx); err != nil {
		return false, err
	}
	k := s.keeper(u.Name)
	changed := make(chan bool, 1)
	err := k.ask(ctx, func() error {
		c, err := k.define(u)
		changed <- c
		return err
	})
	select {
	case c := <-changed:
		return c, err
	default: // ctx ended before
		return false, err
	}
}

// Start implements unit.Manager.
func (s *supervisor) Start(ctx context.Context, name string) error {
	return s.ask(ctx, name, (*keeper).start)
}

// Stop implements unit.Manager.
func (s *supervisor) Stop(ctx context.Context, name string) error {
	return s.ask(ctx, name, func(k *keeper) error {
		if err := k.known(); err != nil {
			return err
		}
		return k.stop()
	})
}

// Restart implements unit.Manager.
func (s *supervisor) Restart(ctx context.Context, name string) error {
	return s.ask(ctx, name, (*keeper).restart)
}

// Reload implements unit.Manager.
func (s *supervisor) Reload(ctx context.Context, name string) error {
	return s.ask(ctx, name, (*keeper).reload)
}

// Remove implements unit.Manager.
func (s *supervisor) Remove(ctx context.Context, name string) error {
	err := s.ask(ctx, name, (*keeper).remove)
	if errors.Is(err, unit.ErrNotFound) {
		return nil
	}
	return err
}

// ask has do run by the keeper of that name.
func (s *supervisor) ask(ctx context.Context, name string, do func(*keeper) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	k, err := s.existing(name)
	if err != nil {
		return err
	}
	return k.ask(ctx, func() error { return do(k) })
}

// Status implements unit.Manager.
func (s *supervisor) Status(ctx context.Context, name string) (unit.Status, error) {
	if err := s.ready(ctx); err != nil {
		return unit.Status{}, err
	}
	k, err := s.existing(name)
	if err != nil {
		return unit.Status{}, err
	}
	status, defined := k.seen()
	if !defined {
		return unit.Status{}, fmt.Errorf("unit %s: %w", name, unit.ErrNotFound)
	}
	return status, nil
}

// List implements unit.Manager.
func (s *supervisor) List(ctx context.Context) ([]unit.Status, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var list []unit.Status
	for _, k := range s.all() {
		if status, defined := k.seen(); defined {
			list = append(list, status)
		}
	}
	return list, nil
}
