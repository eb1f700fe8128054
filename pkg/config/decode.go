package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// places remembers where each path of a file was written.
type places map[string]*token.Position

// decoder fills Go values from a parsed file and collects every fault on the way
// instead of ending at the first.
type decoder struct {
	places places
	faults []*FieldError
}

// decode reads raw over what s already holds.
func decode(raw []byte, s *Stack) (places, []*FieldError) {
	tokens, f := guard(raw)
	if f != nil {
		return nil, []*FieldError{f}
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, []*FieldError{syntaxFault(err)}
	}
	d := &decoder{places: places{}}
	switch {
	case len(file.Docs) > 1 && file.Docs[1].Body != nil:
		d.fault(file.Docs[1].Body, "", "a second document begins here; one file holds one stack")
	case len(file.Docs) > 0 && file.Docs[0].Body != nil:
		d.value(file.Docs[0].Body, reflect.ValueOf(s).Elem(), "")
	}
	return d.places, d.faults
}

func syntaxFault(err error) *FieldError {
	f := &FieldError{Message: "not valid YAML"}
	if yerr, ok := errors.AsType[yaml.Error](err); ok {
		f.Message += ": " + yerr.GetMessage()
		if t := yerr.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	return f
}

// value decodes one node into v.
func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	if n == nil || n.Type() == ast.NullType || n.Type() == ast.CommentType {
		return // nothing said: the default stays
	}
	if _, known := d.places[path]; !known {
		d.places[path] = position(n)
	}
	_, text := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	switch {
	case text:
		d.scalar(n, v, path)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case v.Kind() == reflect.Struct:
		d.mapping(n, v, path)
	case v.Kind() == reflect.Slice:
		d.sequence(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// mapping decodes the keys of n into the fields of v.
func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	var entries []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		entries = m.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{m}
	default:
		d.fault(n, path, "keys and values expected, found %s", kind(n))
		return
	}
	fields := fieldsOf(v.Type())
	seen := map[string]bool{}
	for _, e := range entries {
		key := keyText(e.Key)
		at := below(path, key)
		index, known := fields[key]
		switch {
		case !known:
			d.fault(e.Key, at, "unknown key%s", suggest(key, path, v.Type()))
		case seen[key]:
			d.fault(e.Key, at, "key is given twice")
		default:
			seen[key] = true
			d.places[at] = position(e.Key)
			d.value(e.Value, v.Field(index), at)
		}
	}
}

// sequence decodes the items of n into the slice v.
func (d *decoder) sequence(n ast.Node, v reflect.Value, path string) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fault(n, path, "a list expected, found %s", kind(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	for i, item := range s.Values {
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalar decodes a single value, by its text where the type reads text.
func (d *decoder) scalar(n ast.Node, v reflect.Value, path string) {
	if _, ok := n.(ast.ScalarNode); !ok {
		d.fault(n, path, "a single value expected, found %s", kind(n))
		return
	}
	if t, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		if err := t.UnmarshalText([]byte(scalarText(n))); err != nil {
			d.fault(n, path, "%v", err)
		}
		return
	}
	if v.Kind() == reflect.String {
		v.SetString(scalarText(n))
		return
	}
	if err := yaml.NodeToValue(n, v.Addr().Interface()); err != nil {
		d.fault(n, path, "%s expected, found %.40q", typeName(v.Type()), scalarText(n))
	}
}

func (d *decoder) fault(n ast.Node, path, format string, args ...any) {
	f := fault(path, format, args...)
	if p := position(n); p != nil {
		f.Line, f.Column = p.Line, p.Column
	}
	d.faults = append(d.faults, f)
}

// position returns where a node begins: a mapping at its first key.
func position(n ast.Node) *token.Position {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return position(m.Values[0].Key)
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return position(m.Key)
	}
	if t := n.GetToken(); t != nil {
		return t.Position
	}
	return nil
}

// scalarText returns a scalar as it was meant: without quotes, numbers as
// written.
func scalarText(n ast.Node) string {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value
	case *ast.LiteralNode:
		return s.Value.Value
	}
	return n.GetToken().Value
}

func keyText(k ast.MapKeyNode) string {
	if n, ok := k.(*ast.MappingKeyNode); ok && n.Value != nil {
		return scalarText(n.Value)
	}
	return scalarText(k)
}

func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%.40q", scalarText(n))
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	default:
		return "a " + t.Kind().String()
	}
}

// fieldsOf maps the keys of a struct to the indexes of its fields.
func fieldsOf(t reflect.Type) map[string]int {
	out := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		out[keyOf(t.Field(i))] = i
	}
	return out
}

// keyOf returns the key of a field: the first part of its json tag.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
