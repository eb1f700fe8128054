package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

// suggest says what an unknown key below path may have meant: the nearest key at
// this place, or the same key where it belongs.
func suggest(key, path string, t reflect.Type) string {
	here := slices.Sorted(keysOf(t))
	if near := nearest.Of(strings.ToLower(key), here); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	for _, k := range Keys() {
		if parent, last, ok := cutLast(k.Path); ok && last == key && parent != path {
			return fmt.Sprintf("; %q belongs under %q", key, parent)
		}
	}
	return "; known here: " + strings.Join(here, ", ")
}

func keysOf(t reflect.Type) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for f := range t.Fields() {
			if !yield(keyOf(f)) {
				return
			}
		}
	}
}

func cutLast(path string) (parent, last string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
