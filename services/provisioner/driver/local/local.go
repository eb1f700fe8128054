// Package local is the driver for one machine: a container is a folder with a
// marker file, a loopback address and units that the machine's host keeps
// running. It needs no privileges.
package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// Units is what the driver needs of the host that runs units.
type Units interface {
	Define(ctx context.Context, u unit.Unit) (changed bool, err error)
	Start(ctx context.Context, name string) error
	Stop(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
	Status(ctx context.Context, name string) (unit.Status, error)
	List(ctx context.Context) ([]unit.Status, error)
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ Units         = unit.Manager(nil)
)

// Driver has the containers of one machine. It holds nothing in memory.
type Driver struct {
	folder string
	block  string
	units  Units
}

// New returns the driver whose containers lie in folder and have addresses in
// block, the first three octets of an IPv4 network such as 127.0.1.
func New(folder, block string, units Units) (*Driver, error) {
	if !filepath.IsAbs(folder) {
		return nil, fmt.Errorf("folder of the containers %q is not an absolute path", folder)
	}
	if _, err := netip.ParseAddr(block + ".1"); err != nil {
		return nil, fmt.Errorf("block of addresses %q: want three octets such as 127.0.1", block)
	}
	return &Driver{folder: filepath.Clean(folder), block: block, units: units}, nil
}

// Name implements [driver.Driver].
func (d *Driver) Name() string { return "local" }

// Root implements [driver.Driver]: programs see the machine's own file system.
func (d *Driver) Root(id int) string { return filepath.Join(d.folder, strconv.Itoa(id)) }

// address returns the loopback address of a container.
func (d *Driver) address(id int) string { return d.block + "." + strconv.Itoa(id) }

// container is an opened container that belongs to who asked for it.
type container struct {
	driver.Container
	root *os.Root
}

func (c container) close() { _ = c.root.Close() }

// open opens a container whoever owns it; one without a mark is foreign.
func (d *Driver) open(id int) (container, error) {
	folder, err := os.OpenRoot(d.folder)
	if err != nil {
		return container{}, d.notFound(id, err)
	}
	defer func() { _ = folder.Close() }()
	root, err := folder.OpenRoot(strconv.Itoa(id))
	if err != nil {
		return container{}, d.notFound(id, err)
	}
	mark, err := readMark(root)
	if err != nil {
		_ = root.Close()
		return container{}, fmt.Errorf("%s: %w", d.Root(id), err)
	}
	return container{driver.Container{ID: id, Mark: mark, Address: d.address(id)}, root}, nil
}

// owned opens a container for who claims to own it.
func (d *Driver) owned(r driver.Ref) (container, error) {
	c, err := d.open(r.ID)
	if err != nil {
		return container{}, err
	}
	if !r.Owns(c.Mark) {
		c.close()
		return container{}, fmt.Errorf("container %d of stack %s, run %s: %w", c.ID, c.Stack, c.Run, driver.ErrForeign)
	}
	return c, nil
}

// check answers for verbs that touch only a container's units.
func (d *Driver) check(r driver.Ref) error {
	c, err := d.owned(r)
	if err != nil {
		return err
	}
	c.close()
	return nil
}

// notFound turns the errors of opening a container into those of the driver.
// What is there and can't be opened as a folder is somebody else's.
func (d *Driver) notFound(id int, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("container %d: %w", id, driver.ErrNotFound)
	}
	return fmt.Errorf("open %s: %w: %w", d.Root(id), driver.ErrForeign, err)
}
