// Package config is phoenix.yaml: what one stack shall be.
//
// Precedence is default, file, environment, flag; [Resolve] applies all four.
// The zero of every key is its default, so an empty file is the built-in stack
// "home". Reading is strict and complete: unknown keys, wrong types and values
// out of range are all reported at once, each a [FieldError] with file, line, column
// and, for a misspelled key, the nearest known one.
//
// The JSON form has the same field names; it is what travels in the bucket of
// stacks. The JSON Schema for editors is generated from these types:
//
//go:generate go test -run ^TestSchema$ . -update
package config
