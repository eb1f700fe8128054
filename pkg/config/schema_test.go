package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
)

var update = flag.Bool("update", false, "write the generated files anew")

// TestSchema holds docs/phoenix.schema.json to the Go types.
func TestSchema(t *testing.T) {
	got := schema(t)
	path := filepath.Join("..", "..", "docs", "phoenix.schema.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: run go generate ./config", path)
	}
}

func schema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		RequiredFromJSONSchemaTags: true,
		ExpandedStruct:             true,
		Mapper: func(typ reflect.Type) *jsonschema.Schema {
			if typ == reflect.TypeFor[Duration]() {
				return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+d|([0-9.]+(h|m|s|ms|us|ns))+)$`}
			}
			return nil
		},
	}
	if err := r.AddGoComments("github.com/phoenix-platform/phoenix/pkg/config", "."); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(&Stack{})
	s.ID = ""
	s.Title = "phoenix.yaml"
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(raw, '\n')
}
