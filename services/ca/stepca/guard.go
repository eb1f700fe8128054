package stepca

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// checkFiles reports every needed file that is missing and every secret that
// others can read.
func checkFiles(l layout) error {
	var errs []error
	for _, path := range l.needed() {
		if _, err := os.Stat(path); err != nil {
			errs = append(errs, fmt.Errorf("%w: restore it from a backup, or move %s away to start with a new CA that nobody trusts yet", err, l))
		}
	}
	err := filepath.WalkDir(l.secrets(), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path) // of what a link leads to
		if err != nil {
			return err
		}
		errs = append(errs, checkMode(path, info.Mode()))
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) { // that is among the missing
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("files of the CA: %w", err)
	}
	return nil
}

// checkMode refuses what anybody but the owner can read, write or enter.
func checkMode(path string, mode fs.FileMode) error {
	if mode.Perm()&0o077 == 0 {
		return nil
	}
	private := "600"
	if mode.IsDir() {
		private = "700"
	}
	return fmt.Errorf("others have access to %s (mode %04o): check who read it, then run chmod %s %s", path, mode.Perm(), private, path)
}

// readPassword returns the first line of a password file.
func readPassword(path string) ([]byte, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // below the CA's own folder
	if err != nil {
		return nil, fmt.Errorf("read a password: %w", err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	if first = strings.TrimRight(first, "\r"); first == "" {
		return nil, fmt.Errorf("read a password: %s is empty", path)
	}
	return []byte(first), nil
}
