package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// Load reads and validates the file at path.
func Load(path string) (Stack, error) {
	raw, err := read(path)
	if err != nil {
		return Stack{}, err
	}
	return Parse(path, raw)
}

// Parse reads raw over the defaults and validates the result. The name is that
// of the file, for messages.
func Parse(name string, raw []byte) (Stack, error) {
	s := Default()
	where, faults := decode(raw, &s)
	if len(faults) == 0 {
		faults = where.place(s.Faults())
	}
	return s, join(within(name, faults))
}

// Resolve applies defaults, the file (none when its path is empty), the
// environment and the flags that were set, each over the one before, and
// validates the result. Flags may be nil.
func Resolve(file string, env func(string) string, flags *pflag.FlagSet) (Stack, error) {
	s, where := Default(), places{}
	if file != "" {
		raw, err := read(file)
		if err != nil {
			return Stack{}, err
		}
		var faults []*FieldError
		if where, faults = decode(raw, &s); len(faults) > 0 {
			return Stack{}, join(within(file, faults))
		}
	}
	sources, faults := overlay(&s, env, flags)
	for _, f := range s.Faults() {
		if source, ok := sources[f.Path]; ok {
			f.Source = source
		} else {
			where.place([]*FieldError{f})
			within(file, []*FieldError{f})
		}
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return Stack{}, join(faults)
	}
	return s, nil
}

// overlay sets what environment and flags give, and returns which of them each
// path came from.
func overlay(s *Stack, env func(string) string, flags *pflag.FlagSet) (sources map[string]string, faults []*FieldError) {
	sources = map[string]string{}
	set := func(k Key, source, text string) {
		sources[k.Path] = source
		if err := k.set(s, text); err != nil {
			faults = append(faults, &FieldError{Source: source, Path: k.Path, Message: err.Error()})
		}
	}
	for _, k := range Keys() {
		if text := env(k.Env); text != "" {
			set(k, "environment "+k.Env, text)
		}
		if flags != nil && flags.Changed(k.Flag) {
			set(k, "flag --"+k.Flag, flags.Lookup(k.Flag).Value.String())
		}
	}
	return sources, faults
}

// Decode reads the JSON form, as it travels in the bucket of stacks, and
// validates it. Fields it does not know are ignored: a newer program may have
// written them.
func Decode(raw []byte) (Stack, error) {
	s := Default()
	if err := json.Unmarshal(raw, &s); err != nil {
		return Stack{}, fmt.Errorf("decode stack: %w", err)
	}
	if err := s.Validate(); err != nil {
		return Stack{}, err
	}
	return s, nil
}

// Marshal renders the stack as YAML that Parse reads, below a comment. Each line
// of the comment gets its own number sign.
func (s Stack) Marshal(comment string) ([]byte, error) {
	body, err := yaml.MarshalWithOptions(s, yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return nil, fmt.Errorf("render stack %s: %w", s.Stack, err)
	}
	var b bytes.Buffer
	for line := range bytes.Lines([]byte(comment)) {
		b.Write(bytes.TrimRight(append([]byte("# "), bytes.TrimRight(line, "\r\n")...), " "))
		b.WriteByte('\n')
	}
	b.Write(body)
	return b.Bytes(), nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("open configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return raw, nil
}

// place gives faults the line and column where their path, or the nearest part
// of it that was written, stands.
func (p places) place(faults []*FieldError) []*FieldError {
	for _, f := range faults {
		for path := f.Path; f.Line == 0 && path != ""; path = parent(path) {
			if at := p[path]; at != nil {
				f.Line, f.Column = at.Line, at.Column
			}
		}
	}
	return faults
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

// within names the file of faults.
func within(file string, faults []*FieldError) []*FieldError {
	for _, f := range faults {
		f.Source = file
	}
	return faults
}
