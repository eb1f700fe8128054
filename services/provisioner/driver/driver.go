// Package driver is what the provisioner needs of whatever has containers: one
// machine's folders and processes (package local), or a hypervisor.
//
// A container belongs to the stack that its marker names, and the marker is
// checked before every verb that touches the container. Every verb states a
// wish, so it may be repeated after a crash: creating what is there returns it,
// destroying what is gone answers [ErrNotFound] and nothing else.
package driver

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// The errors that callers decide on; compare with [errors.Is]. Any other error
// may pass by itself.
var (
	// ErrNotFound says that there is no such container, or no such file in it.
	ErrNotFound = errors.New("not found")
	// ErrForeign says that something of that id is there and does not belong to
	// who asked. It was not touched.
	ErrForeign = errors.New("belongs to somebody else")
)

// Mark says whose a container is. It is written when the container is created
// and never changes.
type Mark struct {
	Stack string      `json:"stack"`
	Run   string      `json:"run"` // the run that created it
	Role  events.Role `json:"role"`
	Name  string      `json:"name"`
}

// Spec describes a container to be created.
type Spec struct {
	ID int
	Mark
}

// Container is a container that is there.
type Container struct {
	ID int
	Mark
	Address string // IP address
	Running bool
}

// Ref names a container and who claims to own it. Every verb that takes one
// answers [ErrForeign] when the container's mark disagrees.
type Ref struct {
	ID    int
	Stack string
	// Runs lists the runs one of which must have created the container; empty
	// means any.
	Runs []string
}

// Owns says whether a container with that mark belongs to who claims it.
func (r Ref) Owns(m Mark) bool {
	return m.Stack == r.Stack && (len(r.Runs) == 0 || slices.Contains(r.Runs, m.Run))
}

// Ref returns the reference by which the container's stack names it.
func (c Container) Ref() Ref { return Ref{ID: c.ID, Stack: c.Stack} }

// Data says what becomes of a container's data when the container goes.
type Data bool

// What may become of the data.
const (
	Keep  Data = false
	Purge Data = true
)

// File is a file, or a folder when its mode says so, inside a container.
type File struct {
	Path string // absolute, inside the container
	Mode fs.FileMode
	Data []byte
}

// LogValue keeps what the file contains out of logs.
func (f File) LogValue() slog.Value {
	return slog.GroupValue(slog.String("path", f.Path), slog.String("mode", f.Mode.String()))
}

// Command is a program to run inside a container.
type Command struct {
	Exec  []string // program and arguments; no secrets
	Stdin []byte
}

// Output is what a command said and how it ended.
type Output struct {
	Stdout, Stderr []byte
	Code           int
}

// Driver has containers. It is safe for concurrent use.
type Driver interface {
	// Name is the driver's name in messages and in configuration.
	Name() string
	// Root returns what goes before a path inside the container to name the
	// file as the programs inside see it: nothing where a container has a file
	// system of its own.
	Root(id int) string

	Containers
	Files
	Units
	// Run runs a command and returns when it has ended. A command that ends
	// with another code than 0 is no error.
	Run(ctx context.Context, r Ref, c Command) (Output, error)
}

// Containers is the part of a driver that makes containers and takes them down.
type Containers interface {
	// Create makes a container or finds the one that is there, and reports
	// which. A container that another stack or another role owns is ErrForeign.
	Create(ctx context.Context, s Spec) (c Container, created bool, err error)
	// Start lets the container's programs run.
	Start(ctx context.Context, r Ref) error
	// Stop ends all that runs in the container; nothing is lost.
	Stop(ctx context.Context, r Ref) error
	// Destroy stops the container for good. With Keep its data stays, so that
	// Create finds it again; with Purge nothing stays.
	Destroy(ctx context.Context, r Ref, d Data) error
	// Inspect tells about any container, whoever owns it. One without a mark is
	// ErrForeign.
	Inspect(ctx context.Context, id int) (Container, error)
	// List tells about all containers of a stack, ordered by id.
	List(ctx context.Context, stack string) ([]Container, error)
}

// Files is the part of a driver that fills containers.
type Files interface {
	// Push writes a file, all of it or nothing, and reports whether that
	// changed anything. Missing folders above it are made for the owner alone.
	Push(ctx context.Context, r Ref, f File) (changed bool, err error)
	// Pull reads a small file.
	Pull(ctx context.Context, r Ref, path string) ([]byte, error)
}

// Units is the part of a driver that keeps programs running in containers.
type Units interface {
	// InstallUnit defines a unit and reports whether that changed anything. A
	// unit that runs is restarted when its program would be another one.
	InstallUnit(ctx context.Context, r Ref, u unit.Unit) (changed bool, err error)
	// RemoveUnit stops a unit and forgets it.
	RemoveUnit(ctx context.Context, r Ref, name string) error
	// StartUnit starts a unit unless it runs.
	StartUnit(ctx context.Context, r Ref, name string) error
	// StopUnit stops a unit if it runs.
	StopUnit(ctx context.Context, r Ref, name string) error
	// UnitStatus tells about a unit.
	UnitStatus(ctx context.Context, r Ref, name string) (unit.Status, error)
}
