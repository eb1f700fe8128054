package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// maxDiagnostics is how many lines of the go command's complaints are kept.
const maxDiagnostics = 40

// toolchain runs the go command in a folder.
type toolchain struct {
	dir string
	// line is told each line that the go command prints on standard error, and
	// says whether it was progress rather than a complaint.
	line func(string) bool
}

// run runs the go command and returns what it printed on standard output.
func (g toolchain) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are our own
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out strings.Builder
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("run go %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run go %s: %w", args[0], err)
	}
	complaints := g.read(stderr)
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], failure(ctx, err, complaints))
	}
	return []byte(out.String()), nil
}

// read follows the go command's standard error until it ends, and returns the
// last lines that were not progress.
func (g toolchain) read(stderr io.Reader) []string {
	var complaints []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if g.line(lines.Text()) {
			continue
		}
		complaints = append(complaints, lines.Text())
		if len(complaints) > maxDiagnostics {
			complaints = complaints[1:]
		}
	}
	_, _ = io.Copy(io.Discard, stderr) // what follows a line too long to be scanned
	return complaints
}

// failure explains why the go command ended badly.
func failure(ctx context.Context, err error, complaints []string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(complaints) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(complaints, "\n"))
}

// moduleDir fetches the module that the main module requires, checks it
// against go.sum, and returns its folder in the module cache.
func (g toolchain) moduleDir(ctx context.Context, module string) (string, error) {
	out, err := g.run(ctx, "mod", "download", "-json", module)
	var found struct{ Dir, Error string }
	switch jsonErr := json.Unmarshal(out, &found); {
	case found.Error != "":
		return "", fmt.Errorf("fetch %s: %s", module, found.Error)
	case err != nil:
		return "", err
	case jsonErr != nil:
		return "", fmt.Errorf("understand what go says of %s: %w", module, jsonErr)
	}
	return found.Dir, nil
}

// packages returns what pkg is built from, pkg included.
func (g toolchain) packages(ctx context.Context, pkg string) ([]string, error) {
	out, err := g.run(ctx, "list", "-mod=readonly", "-deps", pkg)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(out)), nil
}
