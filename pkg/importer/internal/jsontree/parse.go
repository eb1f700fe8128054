package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is the deepest nesting that is read.
const MaxDepth = 100

// Duplicate is a key that its object has already had.
type Duplicate struct {
	Path         string
	Line, Column int // of the repetition
	FirstLine    int // of the value it replaces
}

// SyntaxError says where a document stops being JSON.
type SyntaxError struct {
	Line, Column int
	Path         string // of the value around it
	Message      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Parse reads one JSON document. Of a key given twice the last value counts, as
// in every JSON parser; what is returned beside the tree tells. An error is
// always a [*SyntaxError].
func Parse(raw []byte) (*Node, []Duplicate, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	p := &parser{raw: raw, dec: json.NewDecoder(bytes.NewReader(raw)), places: places{raw: raw}}
	p.dec.UseNumber()
	if i := invalidUTF8(raw); i >= 0 {
		return nil, nil, p.fail(int64(i), nil, "not valid UTF-8")
	}
	root, err := p.document()
	return root, p.duplicates, err
}

type parser struct {
	raw        []byte
	dec        *json.Decoder
	places     places
	duplicates []Duplicate
}

func (p *parser) document() (*Node, error) {
	root, err := p.value(nil, 0, 0)
	if err != nil {
		return nil, err
	}
	at := p.dec.InputOffset()
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, p.fail(p.begin(at), nil, "something follows the end of the document")
	}
	return root, nil
}

// value reads the next value as item index of parent.
func (p *parser) value(parent *Node, index, depth int) (*Node, error) {
	at := p.begin(p.dec.InputOffset())
	line, column := p.places.of(at)
	n := &Node{Line: line, Column: column, parent: parent, index: index}
	if depth > MaxDepth {
		return nil, p.fail(at, parent, fmt.Sprintf("nested deeper than %d levels", MaxDepth))
	}
	token, err := p.dec.Token()
	if err != nil {
		return nil, p.broken(err, parent)
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			n.Kind = Object
			return n, p.object(n, depth)
		}
		n.Kind = Array
		return n, p.list(n, depth)
	case string:
		n.Kind, n.Text = String, t
	case json.Number:
		n.Kind, n.Text = Number, t.String()
	case bool:
		n.Kind, n.Text = Bool, strconv.FormatBool(t)
	default:
		n.Kind = Null
	}
	return n, nil
}

func (p *parser) object(n *Node, depth int) error {
	n.at = map[string]int{}
	for p.dec.More() {
		at := p.begin(p.dec.InputOffset())
		token, err := p.dec.Token()
		if err != nil {
			return p.broken(err, n)
		}
		key, ok := token.(string)
		if !ok {
			return p.fail(at, n, "a key in quotes expected")
		}
		if err := p.member(n, key, at, depth); err != nil {
			return err
		}
	}
	return p.end(n)
}

// member reads the value of a key; one given again replaces the former value.
func (p *parser) member(n *Node, key string, at int64, depth int) error {
	i, twice := n.at[key]
	if !twice {
		i = len(n.Keys)
		n.at[key] = i
		n.Keys = append(n.Keys, key)
		n.Items = append(n.Items, nil)
	}
	v, err := p.value(n, i, depth+1)
	if err != nil {
		return err
	}
	if twice {
		line, column := p.places.of(at)
		p.duplicates = append(p.duplicates, Duplicate{Path: v.Path(), Line: line, Column: column, FirstLine: n.Items[i].Line})
	}
	n.Items[i] = v
	return nil
}

func (p *parser) list(n *Node, depth int) error {
	for p.dec.More() {
		v, err := p.value(n, len(n.Items), depth+1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, v)
	}
	return p.end(n)
}

// end reads the closing bracket of n.
func (p *parser) end(n *Node) error {
	if _, err := p.dec.Token(); err != nil {
		return p.broken(err, n)
	}
	return nil
}

// broken turns the decoder's error into one with a place: where the value or
// separator that it could not read begins.
func (p *parser) broken(err error, around *Node) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return p.fail(p.begin(p.dec.InputOffset()), around, syntax.Error())
	}
	end := int64(len(bytes.TrimRight(p.raw, " \t\r\n")))
	return p.fail(end, around, "the document ends too early")
}

func (p *parser) fail(at int64, around *Node, message string) error {
	line, column := p.places.of(at)
	return &SyntaxError{Line: line, Column: column, Path: around.Path(), Message: message}
}

// begin returns the offset of the first byte at or after at that is not white
// space or a separator.
func (p *parser) begin(at int64) int64 {
	for at < int64(len(p.raw)) && strings.IndexByte(" \t\r\n,:", p.raw[at]) >= 0 {
		at++
	}
	return at
}

// places turns offsets into lines and columns.
type places struct {
	raw   []byte
	lines []int64 // offset of the first byte of each line
}

func (p *places) of(at int64) (line, column int) {
	if p.lines == nil {
		p.lines = []int64{0}
		for i, b := range p.raw {
			if b == '\n' {
				p.lines = append(p.lines, int64(i)+1)
			}
		}
	}
	i, exact := slices.BinarySearch(p.lines, at)
	if !exact {
		i--
	}
	return i + 1, int(at-p.lines[i]) + 1
}

func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
