package importer

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestExamples imports the project's own examples and compares report, JSON and
// YAML with what is expected.
func TestExamples(t *testing.T) {
	for _, name := range []string{"clean", "mistakes"} {
		t.Run(name, func(t *testing.T) {
			r, err := Import(filepath.Join("..", "..", "examples", "older-system", name))
			if err != nil {
				t.Fatal(err)
			}
			yaml, err := r.YAML()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := config.Parse("phoenix.yaml", yaml); err != nil {
				t.Error(err)
			}
			r.Written = "phoenix.yaml"
			var report bytes.Buffer
			if err := Render(&report, r, false); err != nil {
				t.Fatal(err)
			}
			raw, err := json.MarshalIndent(r, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", report.Bytes())
			golden(t, name+".json", append(raw, '\n'))
			golden(t, name+".yaml", yaml)
		})
	}
}

func TestCleanExampleHasNoProblems(t *testing.T) {
	r, err := Import(filepath.Join("..", "..", "examples", "older-system", "clean"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		if p.Level != Info {
			t.Errorf("%s %s %s: %s", p.Level, p.File, p.Path, p.Message)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run the test with -update and review\n%s", path, got)
	}
}
