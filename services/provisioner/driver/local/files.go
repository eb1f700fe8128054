package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// maxPull is the largest file that is read out of a container, in bytes.
const maxPull = 1 << 20

// Push implements [driver.Files]. Paths that lead out of the container, by a
// symbolic link for example, are refused by the kernel's own resolution.
func (d *Driver) Push(_ context.Context, r driver.Ref, f driver.File) (bool, error) {
	c, err := d.owned(r)
	if err != nil {
		return false, err
	}
	defer c.close()
	name, err := inside(f.Path)
	if err != nil {
		return false, err
	}
	push := pushFile
	if f.Mode.IsDir() {
		push = pushFolder
	}
	changed, err := push(c.root, name, f)
	if err != nil {
		return false, fmt.Errorf("write %s into container %d: %w", f.Path, r.ID, err)
	}
	return changed, nil
}

// Pull implements [driver.Files].
func (d *Driver) Pull(_ context.Context, r driver.Ref, file string) ([]byte, error) {
	c, err := d.owned(r)
	if err != nil {
		return nil, err
	}
	defer c.close()
	name, err := inside(file)
	if err != nil {
		return nil, err
	}
	raw, err := readFile(c.root, name)
	if errors.Is(err, fs.ErrNotExist) {
		err = driver.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of container %d: %w", file, r.ID, err)
	}
	return raw, nil
}

// inside turns an absolute path inside a container into one below its folder.
func inside(p string) (string, error) {
	if !path.IsAbs(p) || path.Clean(p) != p || p == "/" || p == "/"+markFile {
		return "", fmt.Errorf("path inside a container %q: want a clean absolute path", p)
	}
	return strings.TrimPrefix(p, "/"), nil
}

func pushFolder(root *os.Root, name string, f driver.File) (bool, error) {
	if info, err := root.Lstat(name); err == nil && info.IsDir() && info.Mode().Perm() == f.Mode.Perm() {
		return false, nil
	}
	if err := root.MkdirAll(name, 0o700); err != nil {
		return false, err
	}
	return true, root.Chmod(name, f.Mode.Perm())
}

func pushFile(root *os.Root, name string, f driver.File) (bool, error) {
	if same(root, name, f) {
		return false, nil
	}
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return false, err
	}
	return true, writeFile(root, name, f.Mode.Perm(), f.Data)
}

// same says whether the file is there as it shall be.
func same(root *os.Root, name string, f driver.File) bool {
	info, err := root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Mode() != f.Mode.Perm() || info.Size() != int64(len(f.Data)) {
		return false
	}
	raw, err := root.ReadFile(name)
	return err == nil && bytes.Equal(raw, f.Data)
}

// writeFile writes a file beside its place, and moves it there once it is on
// disk. It never has more rights than it shall have.
func writeFile(root *os.Root, name string, mode fs.FileMode, data []byte) error {
	dir, base := path.Split(name)
	beside := dir + "." + base + ".new"
	if err := root.RemoveAll(beside); err != nil {
		return err
	}
	f, err := root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := root.Rename(beside, name); err != nil {
		return err
	}
	return syncFolder(root, path.Clean(dir))
}

// syncFolder makes a rename last.
func syncFolder(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func readFile(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxPull+1))
	if err == nil && len(raw) > maxPull {
		err = fmt.Errorf("larger than %d bytes", maxPull)
	}
	return raw, err
}
