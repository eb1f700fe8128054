package unit

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The bounds of a definition.
const (
	maxStopTimeout = 10 * time.Minute
	maxStrings     = 1024
	maxLength      = 32 << 10
)

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	keyPattern  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// ValidName returns an error that is ErrInvalid unless name may name a unit.
func ValidName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%w: name %.80q: lower-case letters, digits and inner hyphens, at most 63", ErrInvalid, name)
	}
	return nil
}

// Validate reports every fault of the definition at once, as ErrInvalid.
func (u Unit) Validate() error {
	err := errors.Join(
		u.validateExec(),
		u.validateEnv(),
		u.validateDir(),
		u.validateStop(),
	)
	if err != nil {
		err = fmt.Errorf("%w %.80q: %w", ErrInvalid, u.Name, err)
	}
	return errors.Join(ValidName(u.Name), err)
}

func (u Unit) validateExec() error {
	if len(u.Exec) == 0 {
		return errors.New("exec is empty")
	}
	if !filepath.IsAbs(u.Exec[0]) {
		return fmt.Errorf("exec: program %.80q is not an absolute path", u.Exec[0])
	}
	return validStrings("exec", u.Exec)
}

// reserved lists the variables that the host itself sets.
func reserved() []string { return []string{"PHOENIX_HOME", "PHOENIX_UNIT"} }

func (u Unit) validateEnv() error {
	var errs []error
	for _, entry := range u.Env {
		key, _, ok := strings.Cut(entry, "=")
		switch {
		case !ok || !keyPattern.MatchString(key):
			errs = append(errs, fmt.Errorf("env: %.80q is not KEY=VALUE", key))
		case slices.Contains(reserved(), key):
			errs = append(errs, fmt.Errorf("env: %s is set by the host", key))
		}
	}
	return errors.Join(append(errs, validStrings("env", u.Env))...)
}

func (u Unit) validateDir() error {
	if u.Dir != "" && !filepath.IsAbs(u.Dir) {
		return fmt.Errorf("dir: %.80q is not an absolute path", u.Dir)
	}
	return validStrings("dir", []string{u.Dir})
}

func (u Unit) validateStop() error {
	var errs []error
	if u.StopTimeout < 0 || u.StopTimeout > maxStopTimeout {
		errs = append(errs, fmt.Errorf("stop timeout %s is not between 0 and %s", u.StopTimeout, maxStopTimeout))
	}
	for _, s := range []Signal{u.StopSignal, u.ReloadSignal} {
		if s != "" && !slices.Contains([]Signal{HUP, INT, QUIT, TERM, USR1, USR2}, s) {
			errs = append(errs, fmt.Errorf("signal %.20q is not one of HUP, INT, QUIT, TERM, USR1, USR2", s))
		}
	}
	return errors.Join(errs...)
}

// validStrings checks what the kernel would refuse, and sane bounds.
func validStrings(what string, list []string) error {
	if len(list) > maxStrings {
		return fmt.Errorf("%s: more than %d strings", what, maxStrings)
	}
	for _, s := range list {
		if len(s) > maxLength {
			return fmt.Errorf("%s: a string of more than %d bytes", what, maxLength)
		}
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%s: a string contains a zero byte", what)
		}
	}
	return nil
}
