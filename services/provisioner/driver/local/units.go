package local

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// InstallUnit implements [driver.Units].
func (d *Driver) InstallUnit(ctx context.Context, r driver.Ref, u unit.Unit) (bool, error) {
	if err := d.check(r); err != nil {
		return false, err
	}
	u.Container = strconv.Itoa(r.ID)
	if _, err := d.unitOf(ctx, r, u.Name); err != nil && !errors.Is(err, driver.ErrNotFound) {
		return false, err
	}
	changed, err := d.units.Define(ctx, u)
	if err != nil {
		return false, fmt.Errorf("define unit %s: %w", u.Name, err)
	}
	return changed, nil
}

// RemoveUnit implements [driver.Units]. A unit that is gone is no error.
func (d *Driver) RemoveUnit(ctx context.Context, r driver.Ref, name string) error {
	err := d.onUnit(ctx, r, name, d.units.Remove)
	if errors.Is(err, driver.ErrNotFound) {
		return d.check(r)
	}
	return err
}

// StartUnit implements [driver.Units].
func (d *Driver) StartUnit(ctx context.Context, r driver.Ref, name string) error {
	return d.onUnit(ctx, r, name, d.units.Start)
}

// StopUnit implements [driver.Units].
func (d *Driver) StopUnit(ctx context.Context, r driver.Ref, name string) error {
	return d.onUnit(ctx, r, name, d.units.Stop)
}

// UnitStatus implements [driver.Units].
func (d *Driver) UnitStatus(ctx context.Context, r driver.Ref, name string) (unit.Status, error) {
	if err := d.check(r); err != nil {
		return unit.Status{}, err
	}
	return d.unitOf(ctx, r, name)
}

func (d *Driver) onUnit(ctx context.Context, r driver.Ref, name string, do func(context.Context, string) error) error {
	if _, err := d.UnitStatus(ctx, r, name); err != nil {
		return err
	}
	if err := do(ctx, name); err != nil {
		return fmt.Errorf("unit %s: %w", name, err)
	}
	return nil
}

// unitOf returns a unit of the container, ErrNotFound, or ErrForeign when a
// unit of that name belongs to something else.
func (d *Driver) unitOf(ctx context.Context, r driver.Ref, name string) (unit.Status, error) {
	s, err := d.units.Status(ctx, name)
	switch {
	case errors.Is(err, unit.ErrNotFound):
		return unit.Status{}, fmt.Errorf("unit %s: %w", name, driver.ErrNotFound)
	case err != nil:
		return unit.Status{}, fmt.Errorf("ask for unit %s: %w", name, err)
	case s.Container != strconv.Itoa(r.ID):
		return unit.Status{}, fmt.Errorf("unit %s of container %q: %w", name, s.Container, driver.ErrForeign)
	}
	return s, nil
}

// unitsOf lists all units of a container, those too that its service made.
func (d *Driver) unitsOf(ctx context.Context, id int) ([]unit.Status, error) {
	all, err := d.units.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	var out []unit.Status
	for _, u := range all {
		if u.Container == strconv.Itoa(id) {
			out = append(out, u)
		}
	}
	return out, nil
}

// removePasses bounds how often units that appear again are removed again.
const removePasses = 3

// removeUnits removes all units of a container. A service that is still there
// may define its unit again in the meantime, hence the passes.
func (d *Driver) removeUnits(ctx context.Context, id int) error {
	for range removePasses {
		units, err := d.unitsOf(ctx, id)
		if err != nil || len(units) == 0 {
			return err
		}
		for _, u := range units {
			if err := d.units.Remove(ctx, u.Name); err != nil {
				return fmt.Errorf("remove unit %s: %w", u.Name, err)
			}
		}
	}
	units, err := d.unitsOf(ctx, id)
	if err == nil && len(units) > 0 {
		err = fmt.Errorf("unit %s appears again and again", units[0].Name)
	}
	return err
}
