package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Purge removes everything that lies in the home, and its folder too. The
// caller holds the host's lock, so that nothing runs in it. The marker goes
// last: what was begun can be tried again.
func (h *Home) Purge() error {
	if _, err := Read(h.Root); err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	entries, err := os.ReadDir(h.Root)
	if err != nil {
		return fmt.Errorf("purge home: %w", explain(h.Root, err))
	}
	var errs []error
	for _, e := range entries {
		if e.Name() != marker {
			errs = append(errs, os.RemoveAll(filepath.Join(h.Root, e.Name())))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("purge home: %w", explain(h.Root, err))
	}
	if err := os.Remove(filepath.Join(h.Root, marker)); err != nil {
		return fmt.Errorf("purge home: %w", explain(h.Root, err))
	}
	return removeRoot(h.Root)
}

// removeRoot removes the empty folder, unless somebody else has its say over
// it: a mount point, or a folder above that is not ours.
func removeRoot(root string) error {
	err := os.Remove(root)
	for _, kept := range []error{syscall.EBUSY, syscall.EACCES, syscall.EPERM, syscall.EROFS, os.ErrNotExist} {
		if errors.Is(err, kept) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("purge home: %w", err)
	}
	return nil
}
