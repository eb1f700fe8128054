package jsontree

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParsePlaces(t *testing.T) {
	root, duplicates, err := Parse([]byte("{\n  \"a\": {\"b\": [1, \"two\", true, null]},\n  \"c.d\": 2.50\n}\n"))
	if err != nil || duplicates != nil {
		t.Fatal(err, duplicates)
	}
	tests := []struct {
		node         *Node
		path, text   string
		kind         Kind
		line, column int
	}{
		{root, "", "", Object, 1, 1},
		{root.Get("a"), "a", "", Object, 2, 8},
		{root.Get("a", "b"), "a.b", "", Array, 2, 14},
		{root.Get("a", "b").List()[0], "a.b[0]", "1", Number, 2, 15},
		{root.Get("a", "b").List()[1], "a.b[1]", "two", String, 2, 18},
		{root.Get("a", "b").List()[2], "a.b[2]", "true", Bool, 2, 25},
		{root.Get("a", "b").List()[3], "a.b[3]", "", Null, 2, 31},
		{root.Get("c.d"), "c.d", "2.50", Number, 3, 10},
	}
	for _, tt := range tests {
		if got := tt.node.Path(); got != tt.path {
			t.Errorf("path %q, want %q", got, tt.path)
		}
		if tt.node.Kind != tt.kind || tt.node.Text != tt.text {
			t.Errorf("%s is %s %q, want %s %q", tt.path, tt.node.Kind, tt.node.Text, tt.kind, tt.text)
		}
		if tt.node.Line != tt.line || tt.node.Column != tt.column {
			t.Errorf("%s at %d:%d, want %d:%d", tt.path, tt.node.Line, tt.node.Column, tt.line, tt.column)
		}
	}
}

func TestParseDuplicates(t *testing.T) {
	root, got, err := Parse([]byte("{\"x\": {\"a\": 1,\n \"b\": 2,\n \"a\": 3}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Duplicate{{Path: "x.a", Line: 3, Column: 2, FirstLine: 1}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if v := root.Get("x", "a").Text; v != "3" {
		t.Errorf("a = %s, want the last value, 3", v)
	}
	if keys := root.Get("x").Keys; len(keys) != 2 {
		t.Errorf("keys %v, want two", keys)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		in, message, path string
		line, column      int
	}{
		{"", "the document ends too early", "", 1, 1},
		{"{\n\"a\": [1,\n", "the document ends too early", "a", 2, 9},
		{"{\"a\": 1,}", "invalid character '}'", "", 1, 9},
		{"{\"a\"\n 1}", "invalid character '1' after object key", "", 2, 2},
		{"{\"a\": nul}", "invalid character '}'", "", 1, 7},
		{"{1: 2}", "invalid character '1'", "", 1, 2},
		{"{} {}", "something follows the end of the document", "", 1, 4},
		{"{}\n]", "something follows the end of the document", "", 2, 1},
		{"[\n\"\xff\"]", "not valid UTF-8", "", 2, 2},
		{"]", "invalid character ']'", "", 1, 1},
		{strings.Repeat("[", 20_000), "nested deeper than 100 levels", strings.Repeat("[0]", 100), 1, 102},
	}
	for _, tt := range tests {
		_, _, err := Parse([]byte(tt.in))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.20q: got %v, want a SyntaxError", tt.in, err)
			continue
		}
		if !strings.HasPrefix(syntax.Message, tt.message) {
			t.Errorf("%.20q: message %q, want %q", tt.in, syntax.Message, tt.message)
		}
		if syntax.Line != tt.line || syntax.Column != tt.column || syntax.Path != tt.path {
			t.Errorf("%.20q: at %d:%d %q, want %d:%d %q", tt.in, syntax.Line, syntax.Column, syntax.Path, tt.line, tt.column, tt.path)
		}
	}
}

func TestNilNode(t *testing.T) {
	var n *Node
	n.Walk(func(*Node) { t.Error("visited") })
	_, isInt := n.Int()
	if n.Get("a") != nil || n.Has("a") || n.List() != nil || n.Values() != nil || n.Key() != "" || n.Str() != "" ||
		n.Scalar() != "" || n.True() || n.False() || isInt || n.Parent() != nil || n.Path() != "" {
		t.Error("a nil node is not empty")
	}
}

func TestLongKeysAreCutInPaths(t *testing.T) {
	root, _, err := Parse([]byte(`{"` + strings.Repeat("k", 5000) + `": {"a": 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := root.Values()[0].Get("a").Path(); len(got) > 100 {
		t.Errorf("path of %d bytes", len(got))
	}
}

// FuzzParse holds Parse to encoding/json: the same documents are JSON.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e9",true,null]}`, `[[],{}]`, `{"a":1,"a":2}`, `"x"`, ` 1 `, `{"a":}`, "\xef\xbb\xbf{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		root, _, err := Parse(raw)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid(raw) && !strings.HasPrefix(string(raw), "\xef\xbb\xbf") {
			t.Fatalf("%q is read, but is not JSON", raw)
		}
		root.Walk(func(n *Node) { _ = n.Path() })
	})
}
