package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestDocumentsAreCurrent(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..")
	files, err := documents(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(outputs()) {
		t.Errorf("%d documents for %d outputs", len(files), len(outputs()))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, "docs", "cli", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/cli/%s differs from what is printed: run make generate", name)
		}
	}
}
