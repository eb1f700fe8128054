// Command document writes the JSON Schemas of what phoenix-cli prints under
// -o json into docs/cli.
package main

//go:generate go run . ../../../..

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "document:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: document ROOT")
	}
	files, err := documents(args[0])
	if err != nil {
		return err
	}
	folder := filepath.Join(args[0], "docs", "cli")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", folder, err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
