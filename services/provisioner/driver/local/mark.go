package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// markFile is the file that makes a folder a container of ours.
const markFile = "container.json"

// readMark reads whose a container is. Whatever can't be read as a mark is not
// ours.
func readMark(root *os.Root) (driver.Mark, error) {
	raw, err := root.ReadFile(markFile)
	if errors.Is(err, fs.ErrNotExist) {
		return driver.Mark{}, fmt.Errorf("folder without %s: %w", markFile, driver.ErrForeign)
	}
	if err != nil {
		return driver.Mark{}, fmt.Errorf("read %s: %w", markFile, err)
	}
	var m driver.Mark
	if err := json.Unmarshal(raw, &m); err != nil || m.Stack == "" || m.Run == "" {
		return driver.Mark{}, fmt.Errorf("%s is not a mark: %w", markFile, driver.ErrForeign)
	}
	return m, nil
}

// writeMark marks the container that is being created in root.
func writeMark(root *os.Root, m driver.Mark) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("render %s: %w", markFile, err)
	}
	return writeFile(root, markFile, 0o600, append(raw, '\n'))
}
