package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// minFree is how much room must be left on the disk, in bytes: the bus stops
// acknowledging, without a word, on a full one.
const minFree = 64 << 20

// ErrDiskFull says that too little room is left on the disk.
var ErrDiskFull = errors.New("disk is full")

// CheckSpace returns an error that is ErrDiskFull unless there is room for a
// stack to work.
func (h *Home) CheckSpace() error { return checkSpace(h.Root) }

func checkSpace(root string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return fmt.Errorf("ask for room at %s: %w", root, err)
	}
	free := st.Bavail * uint64(st.Bsize) //nolint:gosec // a block size is positive
	return enough(root, free)
}

// enough decides whether free bytes do.
func enough(root string, free uint64) error {
	if free >= minFree {
		return nil
	}
	return fmt.Errorf("%w: %d MiB are free at %s and %d MiB are needed: make room there, or set PHOENIX_HOME to a folder on another disk",
		ErrDiskFull, free>>20, root, minFree>>20)
}

func makeFolder(root string) error {
	if err := os.MkdirAll(root, folderMode); err != nil {
		return fmt.Errorf("make home: %w", explain(root, err))
	}
	return nil
}

// checkWritable tries whether a file can be made in root.
func checkWritable(root string) error {
	f, err := os.CreateTemp(root, ".writable-*")
	if err != nil {
		return fmt.Errorf("write to home: %w", explain(root, err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// explain adds to err what to do about a home that cannot be used.
func explain(root string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w%s: set PHOENIX_HOME to a folder that you may write to, or run as the user it belongs to", err, ownedBy(root))
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: set PHOENIX_HOME to a folder on a disk that can be written", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w: make room, or set PHOENIX_HOME to a folder on another disk", ErrDiskFull, err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EEXIST):
		return fmt.Errorf("%w: a file is in the way: remove it, or set PHOENIX_HOME to another folder", err)
	}
	return err
}

// ownedBy names the owner of root, or of the nearest folder above that exists.
func ownedBy(root string) string {
	for dir := root; ; dir = filepath.Dir(dir) {
		info, err := os.Lstat(dir)
		if err != nil {
			if dir == filepath.Dir(dir) {
				return ""
			}
			continue
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return ""
		}
		return fmt.Sprintf(" (%s belongs to %s)", dir, userName(st.Uid))
	}
}

// userName returns the user's name, or the number when it has none.
func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return "user " + u.Username
	}
	return "user " + id
}
