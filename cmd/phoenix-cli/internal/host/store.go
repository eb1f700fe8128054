package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// folderMode and fileMode keep what the host writes to its user.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// suffix ends the names of the files in a store.
const suffix = ".json"

// store keeps the units' definitions and records in the home, one file each,
// replaced as a whole.
type store struct {
	units   string
	running string
}

// openStore makes the folders of the home that the host writes to.
func openStore(h *home.Home) (store, error) {
	for _, dir := range []string{h.Host(), h.Units(), h.Running(), h.Logs()} {
		if err := os.MkdirAll(dir, folderMode); err != nil {
			return store{}, fmt.Errorf("make folder of the host: %w", err)
		}
	}
	return store{units: h.Units(), running: h.Running()}, nil
}

// names lists the units that have a definition or a record.
func (s store) names() (map[string]bool, error) {
	names := map[string]bool{}
	for _, dir := range []string{s.units, s.running} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("list units: %w", err)
		}
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), suffix); ok && unit.ValidName(name) == nil {
				names[name] = true
			}
		}
	}
	return names, nil
}

// definition returns the unit of that name, or nil when it is not defined.
func (s store) definition(name string) (*unit.Unit, error) {
	var u unit.Unit
	err := load(filepath.Join(s.units, name+suffix), &u)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing is defined, which is no error
	}
	if err == nil && u.Name != name {
		err = fmt.Errorf("%w: %q", unit.ErrInvalid, u.Name)
	}
	if err == nil {
		err = u.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("load definition of unit %s: %w", name, err)
	}
	return &u, nil
}

// define keeps the definition; it survives a power cut.
func (s store) define(u unit.Unit) error {
	raw, err := json.MarshalIndent(u, "", "  ")
	if err != nil {
		return fmt.Errorf("encode unit %s: %w", u.Name, err)
	}
	if err := renameio.WriteFile(filepath.Join(s.units, u.Name+suffix), append(raw, '\n'), fileMode); err != nil {
		return fmt.Errorf("save unit %s: %w", u.Name, err)
	}
	return nil
}

// undefine forgets the definition, if any.
func (s store) undefine(name string) error {
	return removeFile(filepath.Join(s.units, name+suffix))
}

// record returns what is recorded of the unit. What cannot be read is as good as
// nothing: after a power cut it would be void anyway.
func (s store) record(name string) record {
	var r record
	if err := load(filepath.Join(s.running, name+suffix), &r); err != nil {
		return record{}
	}
	return r
}

// note keeps the record; it survives the end of the host, however that happens,
// and need not survive a power cut, so it is not waited for.
func (s store) note(name string, r record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record of unit %s: %w", name, err)
	}
	path := filepath.Join(s.running, name+suffix)
	if err := errors.Join(os.WriteFile(path+"~", raw, fileMode), os.Rename(path+"~", path)); err != nil {
		return fmt.Errorf("save record of unit %s: %w", name, err)
	}
	return nil
}

// unnote forgets the record, if any.
func (s store) unnote(name string) error {
	return removeFile(filepath.Join(s.running, name+suffix))
}

func load(path string, v any) error {
	raw, err := os.ReadFile(path) //nolint:gosec // a file of the home
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove: %w", err)
	}
	return nil
}
