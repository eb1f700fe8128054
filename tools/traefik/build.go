package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

const (
	// lockEvery is how often a build that another one keeps waiting looks again.
	lockEvery = time.Second
	// workPrefix begins the name of the folder of a build under way.
	workPrefix = ".build-"
)

// ensureBuilt returns the Traefik that lies at path in the cache, and builds it
// first where it doesn't. Of several at a time one builds and the others wait.
func ensureBuilt(ctx context.Context, path string, p *progress) (binaries.Binary, error) {
	cache := filepath.Dir(filepath.Dir(path))
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return binaries.Binary{}, fmt.Errorf("make the cache folder: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(cache, ".lock"), p)
	if err != nil {
		return binaries.Binary{}, err
	}
	defer unlock()
	if b, err := binaries.Traefik(ctx, path); err == nil {
		return b, nil
	}
	if err := buildInto(ctx, cache, path, p); err != nil {
		return binaries.Binary{}, fmt.Errorf("build Traefik %s: %w", buildVersion, err)
	}
	return binaries.Traefik(ctx, path)
}

// lock waits until no other build runs on this cache.
func lock(ctx context.Context, path string, p *progress) (unlock func(), err error) {
	l := flock.New(path)
	locked, err := l.TryLock()
	if err == nil && !locked {
		p.say("another build is running, waiting for it")
		_, err = l.TryLockContext(ctx, lockEvery)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	return func() { _ = l.Close() }, nil
}

// buildInto builds in a folder of the cache, and moves the program to path as
// the last step. The caller holds the lock.
func buildInto(ctx context.Context, cache, path string, p *progress) (err error) {
	if err := removeAbandoned(cache); err != nil {
		return err
	}
	work, err := os.MkdirTemp(cache, workPrefix)
	if err != nil {
		return fmt.Errorf("make a folder to build in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	program := filepath.Join(work, "traefik")
	if err := build(ctx, work, program, p); err != nil {
		p.clear()
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("make the program's folder: %w", err)
	}
	if err := os.Rename(program, path); err != nil {
		return fmt.Errorf("move the program into the cache: %w", err)
	}
	p.say("built %s", path)
	return nil
}

// removeAbandoned removes what killed builds left behind.
func removeAbandoned(cache string) error {
	left, err := filepath.Glob(filepath.Join(cache, workPrefix+"*"))
	if err != nil {
		return fmt.Errorf("look for abandoned builds: %w", err)
	}
	for _, folder := range left {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove an abandoned build: %w", err)
		}
	}
	return nil
}

// build builds the recipe's module in the folder work.
func build(ctx context.Context, work, program string, p *progress) error {
	p.say("building Traefik %s from source: 5 to 10 minutes on 2 cores, once", buildVersion)
	if err := writeModule(work); err != nil {
		return err
	}
	golang := toolchain{dir: work, line: p.line}
	if err := replaceLego(ctx, golang); err != nil {
		return err
	}
	packages, err := golang.packages(ctx, mainPackage)
	if err != nil {
		return err
	}
	p.expect(packages)
	p.say("compiling")
	args := append([]string{"build", "-v", "-o", program}, buildFlags()...)
	_, err = golang.run(ctx, append(args, mainPackage)...)
	return err
}

// replaceLego copies the ACME library out of the module cache, where nothing
// may be changed, puts our short list of DNS providers into the copy, and makes
// the module use it.
func replaceLego(ctx context.Context, golang toolchain) error {
	original, err := golang.moduleDir(ctx, legoModule)
	if err != nil {
		return err
	}
	lego := filepath.Join(golang.dir, "lego")
	if err := os.CopyFS(lego, os.DirFS(original)); err != nil {
		return fmt.Errorf("copy the ACME library: %w", err)
	}
	if err := writeRecipeFile("zz_gen_dns_providers.go", filepath.Join(lego, providersFile)); err != nil {
		return err
	}
	_, err = golang.run(ctx, "mod", "edit", "-replace="+legoModule+"=./lego")
	return err
}
