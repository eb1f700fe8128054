package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/fakehost"
)

func TestNewRefusesNonsense(t *testing.T) {
	for _, tt := range []struct{ folder, block string }{
		{"relative", "127.17.1"}, {"/abs", "127.17"}, {"/abs", "127.17.1.0"}, {"/abs", "host"},
	} {
		if _, err := New(tt.folder, tt.block, fakehost.New()); err == nil {
			t.Errorf("folder %q and block %q were taken", tt.folder, tt.block)
		}
	}
}

func TestCreateIsIdempotent(t *testing.T) {
	d, _, folder := newDriver(t)
	create(t, d)
	again, created, err := d.Create(t.Context(), spec(103, "home-2"))
	if err != nil || created {
		t.Fatalf("create again: created %t, %v", created, err)
	}
	want := driver.Container{ID: 103, Mark: spec(103, "home-1").Mark, Address: "127.17.1.103"}
	if again != want {
		t.Errorf("container is %+v, want %+v", again, want)
	}
	info, err := os.Stat(filepath.Join(folder, "103"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %v, %v, want 0700", info.Mode(), err)
	}
}

func TestCreateRefusesWhatIsNotOurs(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, folder string)
	}{
		{"empty folder", func(t *testing.T, folder string) { mkdir(t, folder, "103") }},
		{"folder with other content", func(t *testing.T, folder string) {
			mkdir(t, folder, "103")
			write(t, filepath.Join(folder, "103", "precious"), "data")
		}},
		{"mark that is no mark", func(t *testing.T, folder string) {
			mkdir(t, folder, "103")
			write(t, filepath.Join(folder, "103", markFile), "{")
		}},
		{"mark of another stack", func(t *testing.T, folder string) {
			mkdir(t, folder, "103")
			write(t, filepath.Join(folder, "103", markFile), `{"stack":"other","run":"other-1","role":"ca"}`)
		}},
		{"mark of another role", func(t *testing.T, folder string) {
			mkdir(t, folder, "103")
			write(t, filepath.Join(folder, "103", markFile), `{"stack":"home","run":"home-1","role":"proxy"}`)
		}},
		{"file", func(t *testing.T, folder string) { write(t, filepath.Join(folder, "103"), "file") }},
		{"link out of the folder", func(t *testing.T, folder string) {
			if err := os.Symlink(t.TempDir(), filepath.Join(folder, "103")); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, units, folder := newDriver(t)
			mkdir(t, folder, "")
			tt.make(t, folder)
			before := tree(t, folder)
			_, _, err := d.Create(t.Context(), spec(103, "home-1"))
			if !errors.Is(err, driver.ErrForeign) {
				t.Errorf("create: %v, want ErrForeign", err)
			}
			for name, err := range map[string]error{
				"destroy": d.Destroy(t.Context(), driver.Ref{ID: 103, Stack: "home", Runs: []string{"home-7"}}, driver.Purge),
				"stop":    d.Stop(t.Context(), driver.Ref{ID: 103, Stack: "nobody"}),
			} {
				if !errors.Is(err, driver.ErrForeign) {
					t.Errorf("%s: %v, want ErrForeign", name, err)
				}
			}
			if after := tree(t, folder); !slices.Equal(before, after) {
				t.Errorf("something was touched:\nbefore %v\nafter  %v", before, after)
			}
			if calls := units.Calls(); len(calls) > 0 {
				t.Errorf("units were touched: %v", calls)
			}
		})
	}
}

func TestCreateRefusesIDsOutsideTheBlock(t *testing.T) {
	d, _, _ := newDriver(t)
	for _, id := range []int{-1, 0, 255, 1001} {
		if _, _, err := d.Create(t.Context(), spec(id, "home-1")); err == nil {
			t.Errorf("container %d was created", id)
		}
	}
}

func TestCreateSurvivesACrash(t *testing.T) {
	d, _, folder := newDriver(t)
	mkdir(t, folder, ".103.new")
	mkdir(t, folder, ".103.gone/etc")
	create(t, d)
	equalTree(t, folder, []string{"103", "103/" + markFile})
}

func TestDestroyKeepsDataOrPurges(t *testing.T) {
	for _, data := range []driver.Data{driver.Keep, driver.Purge} {
		d, units, folder := newDriver(t)
		create(t, d)
		install(t, d, "103-ca")
		if err := d.Destroy(t.Context(), home(103), data); err != nil {
			t.Fatal(err)
		}
		noUnits(t, units)
		if data == driver.Purge {
			equalTree(t, folder, nil)
			continue
		}
		found, created, err := d.Create(t.Context(), spec(103, "home-2"))
		if err != nil || created || found.Run != "home-1" || found.Running {
			t.Errorf("after keeping: %+v, created %t, %v", found, created, err)
		}
	}
}

func TestDestroyOfWhatAnotherRunMadeIsRefused(t *testing.T) {
	d, units, _ := newDriver(t)
	create(t, d)
	install(t, d, "103-ca")
	err := d.Destroy(t.Context(), driver.Ref{ID: 103, Stack: "home", Runs: []string{"home-2"}}, driver.Purge)
	if !errors.Is(err, driver.ErrForeign) {
		t.Errorf("destroy: %v, want ErrForeign", err)
	}
	if found, err := d.Inspect(t.Context(), 103); err != nil || !found.Running {
		t.Errorf("container is %+v, %v after %v; want it untouched", found, err, units.Calls())
	}
}

func TestDestroyOfNothing(t *testing.T) {
	d, _, _ := newDriver(t)
	if err := d.Destroy(t.Context(), home(103), driver.Purge); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("destroy: %v, want ErrNotFound", err)
	}
}

func TestList(t *testing.T) {
	d, _, folder := newDriver(t)
	if list, err := d.List(t.Context(), "home"); err != nil || len(list) != 0 {
		t.Fatalf("list of nothing: %v, %v", list, err)
	}
	create(t, d)
	if _, _, err := d.Create(t.Context(), spec(20, "home-1")); err != nil {
		t.Fatal(err)
	}
	other := spec(101, "other-1")
	other.Stack = "other"
	if _, _, err := d.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	mkdir(t, folder, "102")
	mkdir(t, folder, "not-a-container")
	list, err := d.List(t.Context(), "home")
	if err != nil || len(list) != 2 || list[0].ID != 20 || list[1].ID != 103 {
		t.Errorf("list is %v, %v, want 20 and 103", list, err)
	}
}

func mkdir(t *testing.T, folder, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree lists everything below a folder.
func tree(t *testing.T, folder string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, _ fs.DirEntry, err error) error {
		if path != "." {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func equalTree(t *testing.T, folder string, want []string) {
	t.Helper()
	if got := tree(t, folder); !slices.Equal(got, want) {
		t.Errorf("folder has %v, want %v", got, want)
	}
}

// noUnits wants the host to have none.
func noUnits(t *testing.T, host *fakehost.Host) {
	t.Helper()
	if list, err := host.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("units are left: %v, %v", list, err)
	}
}
