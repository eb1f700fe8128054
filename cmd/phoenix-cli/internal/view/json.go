package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// WriteJSON writes v indented.
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v, "  ") }

// WriteLine writes v as JSON on one line.
func WriteLine(w io.Writer, v any) error { return writeJSON(w, v, "") }

// writeJSON leaves <, > and & as they are, and escapes whatever a terminal
// could take for more than text: foreign strings are shown, never obeyed.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if _, err := io.WriteString(w, escape(b.String())); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// escape writes the runes that do not print as JSON escapes. Outside strings
// JSON has no such rune but the newline.
func escape(s string) string {
	risky := func(r rune) bool { return r != '\n' && unsafe(r) }
	if !strings.ContainsFunc(s, risky) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !risky(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
