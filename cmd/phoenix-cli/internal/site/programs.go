package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Programs are the programs that a stack runs.
type Programs struct {
	Folder  string // of the services' programs
	Traefik binaries.Binary
	Nginx   binaries.Binary
}

// FindPrograms looks for everything that the stack runs, and names all that is
// missing or of a wrong version at once. The services' programs lie in the
// folder that the environment names with PHOENIX_PROGRAMS, else beside this one.
func FindPrograms(ctx context.Context, stack config.Stack, getenv func(string) string) (Programs, error) {
	folder, err := filepath.Abs(getenv("PHOENIX_PROGRAMS"))
	if getenv("PHOENIX_PROGRAMS") == "" {
		folder, err = ownFolder()
	}
	if err != nil {
		return Programs{}, fmt.Errorf("find the services' programs: %w", err)
	}
	p := Programs{Folder: folder}
	errs := []error{checkServices(folder)}
	p.Traefik, err = binaries.Traefik(ctx, stack.Traefik)
	errs = append(errs, err)
	p.Nginx, err = binaries.Nginx(ctx, stack.Nginx)
	return p, errors.Join(append(errs, err)...)
}

// Program is the path of a service's program.
func (p Programs) Program(id events.Identity) string { return program(p.Folder, id) }

func program(folder string, id events.Identity) string {
	return filepath.Join(folder, "phoenix-"+string(id))
}

// ownFolder is the folder that this program lies in.
func ownFolder() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

func checkServices(folder string) error {
	var errs []error
	for _, id := range events.Services() {
		path := program(folder, id)
		info, err := os.Stat(path)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("program of the %s service: %w; `make build` builds it", id, err))
		case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
			errs = append(errs, fmt.Errorf("program of the %s service: %s is not a program; `make build` builds it", id, path))
		}
	}
	return errors.Join(errs...)
}
