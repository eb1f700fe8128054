package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// The names of nginx's files below its prefix.
const (
	live      = "nginx.conf"
	candidate = "nginx.conf.new"
	former    = "nginx.conf.former"
	applied   = "applied"
)

// stopTimeout is longer than worker_shutdown_timeout in the configuration.
const stopTimeout = 15 * time.Second

// Units are what a Server needs of a unit.Manager.
type Units interface {
	Define(ctx context.Context, u unit.Unit) (changed bool, err error)
	Start(ctx context.Context, name string) error
	Reload(ctx context.Context, name string) error
	Status(ctx context.Context, name string) (unit.Status, error)
}

// Server is one nginx below its prefix, run as a unit. It is for one goroutine.
type Server struct {
	prefix string
	binary string
	unit   unit.Unit
	units  Units
}

// WorkerUser returns what Config.User has to be. nginx's workers run as whoever
// runs the gateway: they read the pairs that the gateway writes.
func WorkerUser() string {
	if os.Geteuid() == 0 {
		return "root" // nginx started by root would choose somebody else
	}
	return ""
}

// NewServer prepares the folder prefix for the nginx of that binary, which will
// run as the unit of that name. Both paths are absolute.
func NewServer(prefix, binary, unitName string, units Units) (*Server, error) {
	for _, dir := range []string{prefix, filepath.Join(prefix, "empty"), filepath.Join(prefix, "tmp")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("create folder of nginx: %w", err)
		}
	}
	s := &Server{prefix: prefix, binary: binary, units: units}
	sum, err := unit.Digest(binary)
	if err != nil {
		return nil, fmt.Errorf("nginx: %w", err)
	}
	container, _, _ := strings.Cut(unitName, "-")
	s.unit = unit.Unit{
		Name: unitName, Container: container, Exec: s.command(live), Dir: prefix, Digest: sum,
		StopSignal: unit.QUIT, StopTimeout: stopTimeout, Enabled: true,
	}
	return s, nil
}

// command is nginx with the configuration of that name.
func (s *Server) command(conf string, args ...string) []string {
	return append([]string{s.binary, "-e", "stderr", "-p", s.prefix + "/", "-c", s.path(conf)}, args...)
}

func (s *Server) path(name string) string { return filepath.Join(s.prefix, name) }

// Apply has nginx run with c, and reports whether anything had to be changed
// for it. When nginx itself finds fault with the configuration, the error is a
// [RefusedError], and whatever ran before runs on.
func (s *Server) Apply(ctx context.Context, c Config) (changed bool, err error) {
	text, err := Render(c)
	if err != nil {
		return false, &RefusedError{Reason: err.Error()}
	}
	current, err := s.isApplied(text)
	if err != nil {
		return false, err
	}
	if !current {
		if err := s.install(ctx, c, text); err != nil {
			return false, err
		}
	}
	if err := s.run(ctx, !current); err != nil {
		return false, err
	}
	if current {
		return false, nil
	}
	if err := s.write(applied, []byte(digest(text))); err != nil {
		return false, err
	}
	return true, s.prune(c)
}

// isApplied reports whether nginx was told to read this very text.
func (s *Server) isApplied(text []byte) (bool, error) {
	was, err := s.read(live)
	if err != nil {
		return false, err
	}
	told, err := s.read(applied)
	if err != nil {
		return false, err
	}
	return bytes.Equal(was, text) && string(told) == digest(text), nil
}

// install puts text in the place of the live configuration once nginx has
// accepted it. The former one is kept.
func (s *Server) install(ctx context.Context, c Config, text []byte) error {
	if err := s.write(rootFile(c.Root), c.Root); err != nil {
		return err
	}
	if err := s.write(candidate, text); err != nil {
		return err
	}
	if err := s.test(ctx); err != nil {
		return errors.Join(err, os.Remove(s.path(candidate)))
	}
	was, err := s.read(live)
	if err != nil {
		return err
	}
	if was != nil && !bytes.Equal(was, text) {
		if err := s.write(former, was); err != nil {
			return err
		}
	}
	if err := os.Rename(s.path(candidate), s.path(live)); err != nil {
		return fmt.Errorf("install nginx configuration: %w", err)
	}
	return nil
}

// run has the unit defined and running; reload has it read its configuration
// again if it was running already.
func (s *Server) run(ctx context.Context, reload bool) error {
	if _, err := s.units.Define(ctx, s.unit); err != nil {
		return fmt.Errorf("define nginx: %w", err)
	}
	if reload {
		err := s.units.Reload(ctx, s.unit.Name)
		if err == nil || !errors.Is(err, unit.ErrInactive) {
			return wrap(err, "reload nginx")
		}
	}
	return wrap(s.units.Start(ctx, s.unit.Name), "start nginx")
}

// State tells what became of nginx's process, in words, or nothing when it
// runs.
func (s *Server) State(ctx context.Context) string {
	status, err := s.units.Status(ctx, s.unit.Name)
	switch {
	case err != nil:
		return err.Error()
	case status.State == unit.Active:
		return ""
	case status.LastExit != "":
		return fmt.Sprintf("nginx is %s (%s; see %s)", status.State, status.LastExit, status.Log)
	}
	return fmt.Sprintf("nginx is %s", status.State)
}

// prune removes the roots that neither the live configuration nor the former
// one names.
func (s *Server) prune(c Config) error {
	was, err := s.read(former)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(s.prefix)
	if err != nil {
		return fmt.Errorf("list roots: %w", err)
	}
	for _, e := range entries {
		used := e.Name() == rootFile(c.Root) || bytes.Contains(was, []byte(e.Name()))
		if used || !strings.HasPrefix(e.Name(), rootPrefix) {
			continue
		}
		if err := os.Remove(s.path(e.Name())); err != nil {
			return fmt.Errorf("remove old root: %w", err)
		}
	}
	return nil
}

// read returns a file's content, and nothing when it is not there.
func (s *Server) read(name string) ([]byte, error) {
	raw, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, wrap(err, "read file of nginx")
}

func (s *Server) write(name string, content []byte) error {
	return wrap(renameio.WriteFile(s.path(name), content, 0o600), "write file of nginx")
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
