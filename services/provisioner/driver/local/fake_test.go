package local

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// fakeUnits is a host that runs nothing and remembers what it was told.
type fakeUnits struct {
	units map[string]unit.Unit
	calls []string
	// onRemove is called before a unit is removed.
	onRemove func(name string) error
}

func newFakeUnits() *fakeUnits {
	return &fakeUnits{units: map[string]unit.Unit{}, onRemove: func(string) error { return nil }}
}

func (f *fakeUnits) Define(_ context.Context, u unit.Unit) (bool, error) {
	old, there := f.units[u.Name]
	f.units[u.Name] = u
	return !there || !old.Equal(u), nil
}

func (f *fakeUnits) Start(_ context.Context, name string) error { return f.call("start", name) }
func (f *fakeUnits) Stop(_ context.Context, name string) error  { return f.call("stop", name) }

func (f *fakeUnits) call(verb, name string) error {
	if _, ok := f.units[name]; !ok {
		return unit.ErrNotFound
	}
	f.calls = append(f.calls, verb+" "+name)
	return nil
}

func (f *fakeUnits) Remove(_ context.Context, name string) error {
	if err := f.onRemove(name); err != nil {
		return err
	}
	f.calls = append(f.calls, "remove "+name)
	delete(f.units, name)
	return nil
}

func (f *fakeUnits) Status(_ context.Context, name string) (unit.Status, error) {
	u, ok := f.units[name]
	if !ok {
		return unit.Status{}, unit.ErrNotFound
	}
	return unit.Status{Name: name, Container: u.Container, State: unit.Active}, nil
}

func (f *fakeUnits) List(ctx context.Context) ([]unit.Status, error) {
	var out []unit.Status
	for name := range f.units {
		s, err := f.Status(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b unit.Status) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// newDriver returns a driver in a folder of its own that is not there yet.
func newDriver(t *testing.T) (*Driver, *fakeUnits, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "containers")
	units := newFakeUnits()
	d, err := New(folder, "127.17.1", units)
	if err != nil {
		t.Fatal(err)
	}
	return d, units, folder
}

func spec(id int, run string) driver.Spec {
	return driver.Spec{ID: id, Mark: driver.Mark{Stack: "home", Run: run, Role: events.RoleCA, Name: "ca"}}
}

func home(id int) driver.Ref { return driver.Ref{ID: id, Stack: "home"} }

// create creates container 103 by run home-1.
func create(t *testing.T, d *Driver) {
	t.Helper()
	if _, created, err := d.Create(t.Context(), spec(103, "home-1")); err != nil || !created {
		t.Fatalf("create: created %t, %v", created, err)
	}
}

// install installs a unit into container 103.
func install(t *testing.T, d *Driver, name string) {
	t.Helper()
	if _, err := d.InstallUnit(t.Context(), home(103), unit.Unit{Name: name, Exec: []string{"/bin/true"}}); err != nil {
		t.Fatal(err)
	}
}
