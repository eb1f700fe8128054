package binaries

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The errors that callers decide on; compare with [errors.Is]. The text that
// wraps them says where was looked and what to do next.
var (
	// ErrNotFound says that the program is nowhere that was looked.
	ErrNotFound = errors.New("not found")
	// ErrVersion says that the configured program is of a version that the
	// stack does not work with, or is not that program at all.
	ErrVersion = errors.New("wrong version")
)

// Binary is a program that was found, and that said its version.
type Binary struct {
	// Path is absolute.
	Path string
	// Version is as the program itself prints it, such as "3.6.12+phoenix".
	Version string
}

// Traefik finds Traefik: at the configured path alone if one is given, else in
// $PATH, else in the cache where tools/traefik leaves what it builds. The error
// is [ErrNotFound], or [ErrVersion] for a configured path.
func Traefik(ctx context.Context, configured string) (Binary, error) {
	return traefik().find(ctx, configured, cached)
}

// Nginx finds nginx: at the configured path alone if one is given, else in
// $PATH, else in /usr/sbin, which many users' $PATH leaves out. The error is
// [ErrNotFound], or [ErrVersion] for a configured path.
func Nginx(ctx context.Context, configured string) (Binary, error) {
	return nginx().find(ctx, configured, func() candidate { return existing("/usr/sbin/nginx") })
}

// find looks for the program at the configured path, or in $PATH and then at
// the last resort.
func (p program) find(ctx context.Context, configured string, lastResort func() candidate) (Binary, error) {
	if configured != "" {
		return p.configured(ctx, configured)
	}
	var why []string
	for _, c := range []candidate{p.inPath(), lastResort()} {
		if c.missing != "" {
			why = append(why, c.missing)
			continue
		}
		b, err := p.check(ctx, c.path)
		if err == nil {
			return b, nil
		}
		if ctx.Err() != nil {
			return Binary{}, err
		}
		why = append(why, err.Error())
	}
	return Binary{}, fmt.Errorf("%s %w: %s; %s", p.title, ErrNotFound, strings.Join(why, "; "), p.hint)
}

// configured checks the program at a path that somebody chose: there is no
// looking elsewhere when it is not the right one.
func (p program) configured(ctx context.Context, path string) (Binary, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Binary{}, fmt.Errorf("make the configured path %s absolute: %w", path, err)
	}
	if c := existing(abs); c.missing != "" {
		return Binary{}, fmt.Errorf("configured %s %w: %s; correct the path, or leave it out: %s", p.title, ErrNotFound, c.missing, p.hint)
	}
	b, err := p.check(ctx, abs)
	if err != nil {
		return Binary{}, fmt.Errorf("configured %s: %w; correct the path, or leave it out: %s", p.title, err, p.hint)
	}
	return b, nil
}

// candidate is a place where the program may be, or the reason why it isn't.
type candidate struct {
	path    string
	missing string
}

// inPath is the program that a shell would run.
func (p program) inPath() candidate {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return candidate{missing: "no " + p.name + " in $PATH"}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return candidate{missing: err.Error()}
	}
	return candidate{path: abs}
}

// cached is the Traefik that tools/traefik built.
func cached() candidate {
	path, err := TraefikCache()
	if err != nil {
		return candidate{missing: err.Error()}
	}
	return existing(path)
}

// existing is the program at path, if there is one that may be executed.
func existing(path string) candidate {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return candidate{missing: "no " + path}
	case err != nil:
		return candidate{missing: err.Error()}
	case info.IsDir() || info.Mode()&0o111 == 0:
		return candidate{missing: path + " is not a program"}
	}
	return candidate{path: path}
}
