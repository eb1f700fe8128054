// Package unittest runs units as children of a test, for services that are
// tested with the real programs they command.
package unittest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// restartDelay is how long an ended process stays down.
const restartDelay = 50 * time.Millisecond

// Runner is a unit.Manager that runs each unit's program as a child of the
// test. A program that ends by itself is started again, and all end with the
// test.
type Runner struct {
	dir string

	mu    sync.Mutex
	units map[string]*child
}

var _ unit.Manager = (*Runner)(nil)

// Start returns a runner that ends with the test.
func Start(t testing.TB) *Runner {
	t.Helper()
	r := &Runner{dir: t.TempDir(), units: map[string]*child{}}
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range r.units {
			c.stop()
		}
		if t.Failed() {
			r.showLogs(t)
		}
	})
	return r
}

// showLogs puts what the units said into the log of a failed test.
func (r *Runner) showLogs(t testing.TB) {
	for name := range r.units {
		if raw, err := os.ReadFile(r.log(name)); err == nil {
			t.Logf("log of unit %s:\n%s", name, raw)
		}
	}
}

func (r *Runner) log(name string) string { return filepath.Join(r.dir, name+".log") }

// Define implements unit.Manager.
func (r *Runner) Define(_ context.Context, u unit.Unit) (bool, error) {
	if err := u.Validate(); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.units[u.Name]
	if !ok {
		r.units[u.Name] = &child{unit: u.WithDefaults(), log: r.log(u.Name), since: time.Now()}
		return true, nil
	}
	if old.unit.Equal(u) {
		return false, nil
	}
	restart := old.wanted() && !old.unit.SameProcess(u)
	if restart {
		old.stop()
	}
	old.unit = u.WithDefaults()
	if restart {
		return true, old.start()
	}
	return true, nil
}

// with calls do with the named unit.
func (r *Runner) with(name string, do func(*child) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.units[name]
	if !ok {
		return fmt.Errorf("unit %s: %w", name, unit.ErrNotFound)
	}
	return do(c)
}

// Start implements unit.Manager.
func (r *Runner) Start(_ context.Context, name string) error {
	return r.with(name, (*child).start)
}

// Stop implements unit.Manager.
func (r *Runner) Stop(_ context.Context, name string) error {
	return r.with(name, func(c *child) error { c.stop(); return nil })
}

// Restart implements unit.Manager.
func (r *Runner) Restart(_ context.Context, name string) error {
	return r.with(name, func(c *child) error { c.stop(); return c.start() })
}

// Reload implements unit.Manager.
func (r *Runner) Reload(_ context.Context, name string) error {
	return r.with(name, (*child).reload)
}

// Remove implements unit.Manager.
func (r *Runner) Remove(_ context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.units[name]; ok {
		c.stop()
		delete(r.units, name)
	}
	return nil
}

// Status implements unit.Manager.
func (r *Runner) Status(_ context.Context, name string) (unit.Status, error) {
	var s unit.Status
	err := r.with(name, func(c *child) error { s = c.status(); return nil })
	return s, err
}

// List implements unit.Manager.
func (r *Runner) List(context.Context) ([]unit.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []unit.Status
	for c := range maps.Values(r.units) {
		list = append(list, c.status())
	}
	slices.SortFunc(list, func(a, b unit.Status) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
