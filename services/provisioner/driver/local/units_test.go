package local

import (
	"errors"
	"slices"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/fakehost"
)

func TestUnitsBelongToTheirContainer(t *testing.T) {
	d, units, _ := newDriver(t)
	create(t, d)
	install(t, d, "103-ca")
	if got := units.Unit("103-ca").Container; got != "103" {
		t.Errorf("unit belongs to %q, want 103", got)
	}
	define(t, units, unit.Unit{Name: "102-proxyconf", Container: "102"})
	before := units.Calls()
	_, installed := d.InstallUnit(t.Context(), home(103), unit.Unit{Name: "102-proxyconf"})
	for verb, err := range map[string]error{
		"install": installed,
		"start":   d.StartUnit(t.Context(), home(103), "102-proxyconf"),
		"stop":    d.StopUnit(t.Context(), home(103), "102-proxyconf"),
		"remove":  d.RemoveUnit(t.Context(), home(103), "102-proxyconf"),
	} {
		if !errors.Is(err, driver.ErrForeign) {
			t.Errorf("%s: %v, want ErrForeign", verb, err)
		}
	}
	if after := units.Calls(); !slices.Equal(before, after) {
		t.Errorf("the host was told %v", after)
	}
}

func TestUnitVerbs(t *testing.T) {
	d, units, _ := newDriver(t)
	create(t, d)
	install(t, d, "103-ca")
	for _, err := range []error{
		d.StartUnit(t.Context(), home(103), "103-ca"),
		d.Stop(t.Context(), home(103)),
		d.RemoveUnit(t.Context(), home(103), "103-ca"),
		d.RemoveUnit(t.Context(), home(103), "103-ca"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{"define 103-ca", "start 103-ca", "stop 103-ca", "remove 103-ca"}
	if got := units.Calls(); !slices.Equal(got, want) {
		t.Errorf("the host was told %v, want %v", got, want)
	}
	if err := d.StartUnit(t.Context(), home(103), "103-ca"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("start of no unit: %v, want ErrNotFound", err)
	}
	if _, err := d.UnitStatus(t.Context(), driver.Ref{ID: 103, Stack: "other"}, "103-ca"); !errors.Is(err, driver.ErrForeign) {
		t.Errorf("status for another stack: %v, want ErrForeign", err)
	}
}

func TestContainerRunsWhileItHasUnits(t *testing.T) {
	d, _, _ := newDriver(t)
	create(t, d)
	for i, want := range []bool{false, true} {
		if c, err := d.Inspect(t.Context(), 103); err != nil || c.Running != want {
			t.Errorf("look %d: running %t, %v, want %t", i, c.Running, err, want)
		}
		install(t, d, "103-ca")
	}
}

func TestDestroyRemovesUnitsThatAppearAgain(t *testing.T) {
	d, units, _ := newDriver(t)
	create(t, d)
	install(t, d, "103-a")
	install(t, d, "103-service")
	units.OnRemove = func(name string) error {
		if name == "103-service" {
			define(t, units, unit.Unit{Name: "103-a", Container: "103"})
		}
		return nil
	}
	if err := d.Destroy(t.Context(), home(103), driver.Keep); err != nil {
		t.Fatal(err)
	}
	noUnits(t, units)
}

func TestDestroyThatCannotStopUnitsKeepsTheFolder(t *testing.T) {
	d, units, _ := newDriver(t)
	create(t, d)
	install(t, d, "103-ca")
	busy := errors.New("busy")
	units.OnRemove = func(string) error { return busy }
	if err := d.Destroy(t.Context(), home(103), driver.Purge); !errors.Is(err, busy) {
		t.Errorf("destroy: %v, want %v", err, busy)
	}
	if _, err := d.Inspect(t.Context(), 103); err != nil {
		t.Errorf("the container is gone although its units run: %v", err)
	}
}

// define defines a unit as somebody else would.
func define(t *testing.T, host *fakehost.Host, u unit.Unit) {
	t.Helper()
	if _, err := host.Define(t.Context(), u); err != nil {
		t.Fatal(err)
	}
}
