package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

func TestPushWritesOnce(t *testing.T) {
	d, _, folder := newDriver(t)
	create(t, d)
	f := driver.File{Path: "/etc/phoenix/identity.nk", Mode: 0o600, Data: []byte("seed")}
	for i, want := range []bool{true, false} {
		if changed, err := d.Push(t.Context(), home(103), f); err != nil || changed != want {
			t.Errorf("push %d: changed %t, %v, want %t", i, changed, err, want)
		}
	}
	got, err := d.Pull(t.Context(), home(103), f.Path)
	if err != nil || !bytes.Equal(got, f.Data) {
		t.Errorf("pulled %q, %v", got, err)
	}
	for path, want := range map[string]fs.FileMode{"etc": fs.ModeDir | 0o700, "etc/phoenix": fs.ModeDir | 0o700, "etc/phoenix/identity.nk": 0o600} {
		info, err := os.Stat(filepath.Join(folder, "103", path))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestPushMendsModeAndContent(t *testing.T) {
	d, _, folder := newDriver(t)
	create(t, d)
	f := driver.File{Path: "/a", Mode: 0o600, Data: []byte("one")}
	path := filepath.Join(folder, "103", "a")
	for name, spoil := range map[string]func() error{
		"mode":    func() error { return os.Chmod(path, 0o400) },
		"content": func() error { return os.WriteFile(path, []byte("two"), 0o600) },
		"link":    func() error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"gone":    func() error { return os.Remove(path) },
		"half":    func() error { return os.WriteFile(filepath.Join(folder, "103", ".a.new"), nil, 0o600) },
	} {
		if _, err := d.Push(t.Context(), home(103), f); err != nil {
			t.Fatal(err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		changed, err := d.Push(t.Context(), home(103), f)
		if err != nil || changed != (name != "half") {
			t.Errorf("%s: changed %t, %v", name, changed, err)
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
}

func TestPushFolder(t *testing.T) {
	d, _, _ := newDriver(t)
	create(t, d)
	f := driver.File{Path: "/var/lib/phoenix", Mode: fs.ModeDir | 0o700}
	for i, want := range []bool{true, false} {
		if changed, err := d.Push(t.Context(), home(103), f); err != nil || changed != want {
			t.Errorf("push %d: changed %t, %v, want %t", i, changed, err, want)
		}
	}
}

func TestPushStaysInside(t *testing.T) {
	d, _, folder := newDriver(t)
	create(t, d)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(folder, "103", "out")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "/", "relative", "/../x", "/a/../../x", "/a//b", "/" + markFile, "/out/x", "/out/deeper/x"} {
		if _, err := d.Push(t.Context(), home(103), driver.File{Path: path, Mode: 0o600}); err == nil {
			t.Errorf("%q was written", path)
		}
		if _, err := d.Pull(t.Context(), home(103), path); err == nil {
			t.Errorf("%q was read", path)
		}
	}
	equalTree(t, outside, nil)
}

func TestFilesOfForeignContainers(t *testing.T) {
	d, _, _ := newDriver(t)
	create(t, d)
	for ref, want := range map[string]driver.Ref{"stack": {ID: 103, Stack: "other"}, "run": {ID: 103, Stack: "home", Runs: []string{"home-9"}}} {
		_, err := d.Push(t.Context(), want, driver.File{Path: "/a", Mode: 0o600})
		if !errors.Is(err, driver.ErrForeign) {
			t.Errorf("%s: push: %v, want ErrForeign", ref, err)
		}
	}
	if _, err := d.Pull(t.Context(), home(102), "/a"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("pull from no container: %v, want ErrNotFound", err)
	}
	if _, err := d.Pull(t.Context(), home(103), "/a"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("pull of no file: %v, want ErrNotFound", err)
	}
}

func TestPullIsBounded(t *testing.T) {
	d, _, folder := newDriver(t)
	create(t, d)
	write(t, filepath.Join(folder, "103", "big"), strings.Repeat("x", maxPull+1))
	if _, err := d.Pull(t.Context(), home(103), "/big"); err == nil {
		t.Error("a file over the limit was read")
	}
}

func TestFileKeepsItsContentOutOfLogs(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("push", "file", driver.File{Path: "/a", Mode: 0o600, Data: []byte("secret")})
	if strings.Contains(out.String(), "secret") || strings.Contains(out.String(), fmt.Sprint([]byte("secret"))) {
		t.Errorf("the log has the file's content: %s", out.String())
	}
}
