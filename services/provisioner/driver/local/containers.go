package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// The bounds of an id: the last octet of its address.
const (
	minID = 1
	maxID = 254
)

// Create implements [driver.Containers]. The folder appears under its name with
// the mark already in it, so that a crash leaves nothing that looks foreign.
func (d *Driver) Create(ctx context.Context, s driver.Spec) (driver.Container, bool, error) {
	if s.ID < minID || s.ID > maxID {
		return driver.Container{}, false, fmt.Errorf("container id %d is not between %d and %d", s.ID, minID, maxID)
	}
	found, err := d.Inspect(ctx, s.ID)
	if err == nil && (found.Stack != s.Stack || found.Role != s.Role) {
		return driver.Container{}, false, fmt.Errorf("container %d is %s of stack %s: %w", s.ID, found.Role, found.Stack, driver.ErrForeign)
	}
	if !errors.Is(err, driver.ErrNotFound) {
		return found, false, err
	}
	if err := d.create(s); err != nil {
		return driver.Container{}, false, fmt.Errorf("create container %d: %w", s.ID, err)
	}
	made, err := d.Inspect(ctx, s.ID)
	return made, true, err
}

func (d *Driver) create(s driver.Spec) error {
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return err
	}
	folder, err := os.OpenRoot(d.folder)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	if err := sweep(folder, s.ID); err != nil {
		return err
	}
	if err := prepare(folder, unborn(s.ID), s.Mark); err != nil {
		return err
	}
	if err := folder.Rename(unborn(s.ID), strconv.Itoa(s.ID)); err != nil {
		return err
	}
	return syncFolder(folder, ".")
}

// prepare makes a container's folder under a name that nobody looks at.
func prepare(folder *os.Root, name string, m driver.Mark) error {
	if err := folder.Mkdir(name, 0o700); err != nil {
		return err
	}
	root, err := folder.OpenRoot(name)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return writeMark(root, m)
}

// The names that a container's folder has before it is complete and while it is
// being deleted.
func unborn(id int) string   { return fmt.Sprintf(".%d.new", id) }
func deceased(id int) string { return fmt.Sprintf(".%d.gone", id) }

// sweep removes what a crash left of creating or deleting a container.
func sweep(folder *os.Root, id int) error {
	return errors.Join(folder.RemoveAll(unborn(id)), folder.RemoveAll(deceased(id)))
}

// Start implements [driver.Containers]. A folder has no switch of its own: the
// container runs when one of its units does.
func (d *Driver) Start(_ context.Context, r driver.Ref) error { return d.check(r) }

// Stop implements [driver.Containers].
func (d *Driver) Stop(ctx context.Context, r driver.Ref) error {
	if err := d.check(r); err != nil {
		return err
	}
	units, err := d.unitsOf(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, u := range units {
		if err := d.units.Stop(ctx, u.Name); err != nil {
			return fmt.Errorf("stop unit %s: %w", u.Name, err)
		}
	}
	return nil
}

// Destroy implements [driver.Containers]. The folder loses its name before its
// content, so that a crash leaves no container without a mark.
func (d *Driver) Destroy(ctx context.Context, r driver.Ref, data driver.Data) error {
	if err := d.check(r); err != nil {
		return err
	}
	if err := d.removeUnits(ctx, r.ID); err != nil {
		return fmt.Errorf("destroy container %d: %w", r.ID, err)
	}
	if data == driver.Keep {
		return nil
	}
	if err := d.purge(r.ID); err != nil {
		return fmt.Errorf("destroy container %d: %w", r.ID, err)
	}
	return nil
}

func (d *Driver) purge(id int) error {
	folder, err := os.OpenRoot(d.folder)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	if err := sweep(folder, id); err != nil {
		return err
	}
	if err := folder.Rename(strconv.Itoa(id), deceased(id)); err != nil {
		return err
	}
	return folder.RemoveAll(deceased(id))
}

// Inspect implements [driver.Containers].
func (d *Driver) Inspect(ctx context.Context, id int) (driver.Container, error) {
	c, err := d.open(id)
	if err != nil {
		return driver.Container{}, err
	}
	defer c.close()
	units, err := d.unitsOf(ctx, id)
	if err != nil {
		return driver.Container{}, err
	}
	c.Running = len(units) > 0
	return c.Container, nil
}

// List implements [driver.Containers].
func (d *Driver) List(ctx context.Context, stack string) ([]driver.Container, error) {
	entries, err := os.ReadDir(d.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var out []driver.Container
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		c, err := d.Inspect(ctx, id)
		switch {
		case errors.Is(err, driver.ErrForeign), errors.Is(err, driver.ErrNotFound):
		case err != nil:
			return nil, err
		case c.Stack == stack:
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b driver.Container) int { return a.ID - b.ID })
	return out, nil
}
