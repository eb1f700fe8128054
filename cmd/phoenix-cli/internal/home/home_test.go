package home

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("PHOENIX_TEST_LISTEN"); dir != "" {
		listenForTest()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestRoot(t *testing.T) {
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"own":              {map[string]string{"PHOENIX_HOME": "/srv/phoenix", "HOME": "/root"}, "/srv/phoenix"},
		"own, relative":    {map[string]string{"PHOENIX_HOME": "x/y"}, filepath.Join(cwd, "x/y")},
		"state folder":     {map[string]string{"XDG_STATE_HOME": "/state", "HOME": "/root"}, "/state/phoenix"},
		"relative state":   {map[string]string{"XDG_STATE_HOME": "state", "HOME": "/root"}, "/root/.local/state/phoenix"},
		"user's home":      {map[string]string{"HOME": "/root"}, "/root/.local/state/phoenix"},
		"nothing":          {map[string]string{}, ""},
		"nothing absolute": {map[string]string{"HOME": "x"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Root(func(key string) string { return tt.env[key] })
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Fatalf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestOpenMakesAHomeOnce(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a", "b")
	first, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	if first.Addresses != DefaultAddresses || !first.DefaultBlock() || len(first.ID) != 16 {
		t.Errorf("got %+v", first)
	}
	again, err := Open(root, DefaultAddresses)
	if err != nil || again.ID != first.ID || !again.Created.Equal(first.Created) {
		t.Errorf("again: got %+v, %v, want %+v", again, err, first)
	}
	for path, want := range map[string]os.FileMode{root: 0o700, filepath.Join(root, marker): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	var other *AddressesError
	if _, err := Open(root, "127.14.9"); !errors.As(err, &other) || !strings.Contains(err.Error(), "PHOENIX_HOME") {
		t.Errorf("other block: got %v", err)
	}
}

func TestOpenRefusesWhatIsNoHome(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, root string)
		want    string
	}{
		"somebody's folder": {func(t *testing.T, root string) { write(t, filepath.Join(root, "thesis.tex"), "x") }, "not empty"},
		"a file above":      {func(t *testing.T, root string) { remove(t, root); write(t, root, "x") }, "in the way"},
		"broken marker":     {func(t *testing.T, root string) { write(t, filepath.Join(root, marker), "{") }, marker},
		"empty marker":      {func(t *testing.T, root string) { write(t, filepath.Join(root, marker), "{}") }, "no id"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			tt.prepare(t, root)
			if _, err := Open(root, ""); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestReadTouchesNothing(t *testing.T) {
	root := filepath.Join(t.TempDir(), "none")
	if _, err := Read(root); !errors.Is(err, ErrNoHome) {
		t.Errorf("got %v, want ErrNoHome", err)
	}
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder: got %v, want ErrNotExist", err)
	}
}

func TestPurge(t *testing.T) {
	root := filepath.Join(t.TempDir(), "home")
	h, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(h.Container("103"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(h.Container("103"), "root.key"), "secret")
	if err := h.Purge(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "thesis.tex"), "x")
	if err := h.Purge(); !errors.Is(err, ErrNoHome) {
		t.Errorf("not a home: got %v, want ErrNoHome", err)
	}
	if _, err := os.Stat(filepath.Join(root, "thesis.tex")); err != nil {
		t.Error(err)
	}
}

func TestLayoutStaysInside(t *testing.T) {
	h := &Home{Root: "/r", Addresses: "127.14.1"}
	for _, path := range []string{h.Host(), h.Units(), h.Running(), h.Logs(), h.HostLog(), h.Socket(), h.Containers(), h.Container("7")} {
		if !strings.HasPrefix(path, "/r/") {
			t.Errorf("%s is outside", path)
		}
	}
	if got, want := h.Address(101), "127.14.1.101"; got != want || h.DefaultBlock() {
		t.Errorf("got %s, want %s", got, want)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}
