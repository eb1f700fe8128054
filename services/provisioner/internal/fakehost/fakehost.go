// Package fakehost is a host of units that runs nothing, for tests.
package fakehost

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// Host remembers what it was told. It is safe for concurrent use.
type Host struct {
	// OnRemove, if set, is called before a unit is removed.
	OnRemove func(name string) error

	mu      sync.Mutex
	units   map[string]unit.Unit
	running map[string]bool
	calls   []string
}

// New returns a host without units.
func New() *Host { return &Host{units: map[string]unit.Unit{}, running: map[string]bool{}} }

// Define implements unit.Manager.
func (h *Host) Define(_ context.Context, u unit.Unit) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, there := h.units[u.Name]
	h.units[u.Name] = u
	if !there || !old.Equal(u) {
		h.calls = append(h.calls, "define "+u.Name)
		return true, nil
	}
	return false, nil
}

// Start implements unit.Manager.
func (h *Host) Start(_ context.Context, name string) error { return h.set(name, true, "start ") }

// Stop implements unit.Manager.
func (h *Host) Stop(_ context.Context, name string) error { return h.set(name, false, "stop ") }

func (h *Host) set(name string, running bool, verb string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.units[name]; !ok {
		return unit.ErrNotFound
	}
	if h.running[name] != running {
		h.calls = append(h.calls, verb+name)
	}
	h.running[name] = running
	return nil
}

// Remove implements unit.Manager.
func (h *Host) Remove(_ context.Context, name string) error {
	if h.OnRemove != nil {
		if err := h.OnRemove(name); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.units[name]; ok {
		h.calls = append(h.calls, "remove "+name)
	}
	delete(h.units, name)
	delete(h.running, name)
	return nil
}

// Status implements unit.Manager.
func (h *Host) Status(_ context.Context, name string) (unit.Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u, ok := h.units[name]
	if !ok {
		return unit.Status{}, unit.ErrNotFound
	}
	return h.status(u), nil
}

func (h *Host) status(u unit.Unit) unit.Status {
	s := unit.Status{Name: u.Name, Container: u.Container, State: unit.Inactive}
	if h.running[u.Name] {
		s.State = unit.Active
	}
	return s
}

// List implements unit.Manager.
func (h *Host) List(context.Context) ([]unit.Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []unit.Status
	for _, name := range slices.Sorted(maps.Keys(h.units)) {
		out = append(out, h.status(h.units[name]))
	}
	return out, nil
}

// Unit returns a unit as it was defined; without a name when it was not.
func (h *Host) Unit(name string) unit.Unit {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.units[name]
}

// Calls lists what changed anything, as verb and name.
func (h *Host) Calls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.calls)
}
