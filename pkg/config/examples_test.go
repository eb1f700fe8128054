package config

import (
	"path/filepath"
	"testing"
)

// TestExample loads the project's sample as a person would.
func TestExample(t *testing.T) {
	s, err := Load(filepath.Join("..", "..", "examples", "phoenix.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	services := s.Services
	s.Services = nil
	if err := s.Validate(); err != nil || s.Stack != Default().Stack || len(services) != 3 {
		t.Errorf("%+v, %d services, %v", s, len(services), err)
	}
}
