package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestDocumentsAreCurrent(t *testing.T) {
	files, err := documents(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("..", "..", "..", "..", "docs", "events")
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/events/%s differs from the contract: run make generate", name)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()] == nil {
			t.Errorf("docs/events/%s belongs to no subject", e.Name())
		}
	}
}
