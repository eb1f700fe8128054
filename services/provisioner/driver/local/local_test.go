package local

import (
	"path/filepath"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/fakehost"
)

// newDriver returns a driver in a folder of its own that is not there yet.
func newDriver(t *testing.T) (*Driver, *fakehost.Host, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "containers")
	units := fakehost.New()
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
