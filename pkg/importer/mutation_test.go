package importer

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// strange is what may stand in place of any value.
var strange = []any{nil, -1, "x", []any{nil}, map[string]any{"name": 1}}

// TestImportSurvivesAnyValue puts something strange in the place of every value
// of the example, one at a time: no panic, and what is taken over is valid.
func TestImportSurvivesAnyValue(t *testing.T) {
	sources, problems, err := collect([]string{filepath.Join("..", "..", "examples", "older-system", "mistakes")})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	for i, s := range sources {
		var doc any
		if err := json.Unmarshal(s.raw, &doc); err != nil {
			t.Fatal(err)
		}
		mutate(doc, func(v any) { doc = v }, func() {
			raw, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			changed := append([]source(nil), sources...)
			changed[i].raw = raw
			r, err := assemble(changed, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, raw)
			}
			if err := r.Stack.Validate(); err != nil {
				t.Fatalf("%v\n%s", err, raw)
			}
		})
	}
}

// mutate calls check once for each value at or below v and each strange value in
// its place.
func mutate(v any, set func(any), check func()) {
	for _, s := range strange {
		set(s)
		check()
	}
	set(v)
	switch c := v.(type) {
	case map[string]any:
		for k, e := range c {
			mutate(e, func(n any) { c[k] = n }, check)
		}
	case []any:
		for i, e := range c {
			mutate(e, func(n any) { c[i] = n }, check)
		}
	}
}
