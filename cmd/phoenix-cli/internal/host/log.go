package host

import (
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// logSuffix ends the name of a unit's log.
	logSuffix = ".log"
	// oldSuffix is added to the name of a log for the one before it.
	oldSuffix = ".1"
	// maxLog is the size at which a log is put aside, in bytes.
	maxLog = 16 << 20
)

// openLog opens a log for a process to append to.
func openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, fileMode) //nolint:gosec // a file of the home
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// rotate copies a log that has reached limit aside and empties it. Its writers
// keep the file open, and go on at its new end since they append. What is
// written between the last look and the emptying is lost.
func rotate(path string, limit int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, fileMode) //nolint:gosec // a file of the home
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() >= limit {
		err = putAside(f, path+oldSuffix)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("rotate log %s: %w", path, err)
	}
	return nil
}

// putAside copies the log to old and empties it. When there is no room for the
// copy, the log is left alone.
func putAside(log *os.File, old string) error {
	aside := old + "~"
	f, err := os.OpenFile(aside, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode) //nolint:gosec // a file of the home
	if err != nil {
		return fmt.Errorf("open copy: %w", err)
	}
	_, err = io.Copy(f, log)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("copy: %w", err), os.Remove(aside))
	}
	if err := errors.Join(os.Rename(aside, old), log.Truncate(0)); err != nil {
		return fmt.Errorf("empty: %w", err)
	}
	return nil
}
