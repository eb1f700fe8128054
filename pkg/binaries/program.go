package binaries

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// versionTimeout is how long a program may take to say its version. A large
// binary on a cold and busy disk needs seconds.
const versionTimeout = 30 * time.Second

// program is what is known about a third-party program.
type program struct {
	name    string // of the executable
	title   string // for people
	args    []string
	version *regexp.Regexp // its first group is the version
	atLeast string         // semantic version, with the v
	below   string         // likewise; empty: no end
	hint    string         // what to do when it isn't there
}

// traefik describes Traefik. 3.7 is another minor version, whose configuration
// nothing here was tried with.
func traefik() program {
	return program{
		name:    "traefik",
		title:   "Traefik",
		args:    []string{"version"},
		version: regexp.MustCompile(`(?m)^Version:\s+(\S+)`),
		atLeast: "v" + TraefikVersion,
		below:   "v3.7.0-0",
		hint:    "`make traefik` builds it",
	}
}

// nginx describes nginx. It prints its version on standard error.
func nginx() program {
	return program{
		name:    "nginx",
		title:   "nginx",
		args:    []string{"-v"},
		version: regexp.MustCompile(`nginx version: nginx/(\S+)`),
		atLeast: "v1.22.0",
		hint:    "`make deps` or `apt-get install nginx` installs it",
	}
}

// check runs the program at path and says whether it is of a right version.
func (p program) check(ctx context.Context, path string) (Binary, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, p.args...) //nolint:gosec // a program that somebody configured or has in $PATH
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return Binary{}, fmt.Errorf("ask %s for its version: %w", path, ctx.Err())
	}
	if err != nil {
		return Binary{}, fmt.Errorf("%w: %s can't say its version: %w", ErrVersion, path, err)
	}
	version, err := p.parse(string(out))
	if err != nil {
		return Binary{}, fmt.Errorf("%w: %s %w", ErrVersion, path, err)
	}
	return Binary{Path: path, Version: version}, nil
}

// parse takes the version from what the program printed. Its errors continue a
// sentence that begins with the program's path.
func (p program) parse(out string) (string, error) {
	match := p.version.FindStringSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("does not say that it is %s", p.title)
	}
	version := match[1]
	canonical := "v" + strings.TrimPrefix(version, "v")
	if !semver.IsValid(canonical) {
		return "", fmt.Errorf("is of the unknown version %q, want %s", version, p.wanted())
	}
	tooOld := semver.Compare(canonical, p.atLeast) < 0
	tooNew := p.below != "" && semver.Compare(canonical, p.below) >= 0
	if tooOld || tooNew {
		return "", fmt.Errorf("is version %s, want %s", version, p.wanted())
	}
	return version, nil
}

// wanted describes the range of versions for people.
func (p program) wanted() string {
	atLeast := strings.TrimPrefix(p.atLeast, "v")
	if p.below == "" {
		return atLeast + " or later"
	}
	return atLeast + " or a later " + strings.TrimPrefix(semver.MajorMinor(p.atLeast), "v")
}
