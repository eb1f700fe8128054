package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/config"
)

// storedPath is the file in which up leaves the configuration that it brought
// the stack up with, so that a later up without any goes on with it.
func storedPath(root string) string { return filepath.Join(root, "phoenix.yaml") }

const storedComment = `The configuration that phoenix-cli up last used. A later up that is given
no other goes on with this one.`

// storeConfig leaves the configuration in the home.
func storeConfig(h *home.Home, s config.Stack) error {
	raw, err := s.Marshal(storedComment)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(storedPath(h.Root), raw, 0o600); err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	return nil
}

// loadStored returns the configuration that up left; ok is false when there is
// none.
func loadStored(root string) (s config.Stack, ok bool, err error) {
	s, err = config.Load(storedPath(root))
	if errors.Is(err, fs.ErrNotExist) {
		return config.Stack{}, false, nil
	}
	return s, err == nil, err
}

// stackName is the name of the home's one stack.
func stackName(h *home.Home) string {
	if s, ok, err := loadStored(h.Root); err == nil && ok {
		return s.Stack
	}
	return config.Default().Stack
}
