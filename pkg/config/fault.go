package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid marks every error about the configuration's contents: the person
// who wrote it has to change something, trying again does not help.
var ErrInvalid = errors.New("invalid configuration")

// FieldError is one fault: one thing that is wrong with a configuration, and where.
type FieldError struct {
	// Source is the file, or "environment" or "flag"; empty when not known.
	Source string
	// Line and Column are 1-based; 0 when not known.
	Line, Column int
	// Path of the key, such as services[2].url; empty for the whole file.
	Path string
	// Message says what is wrong and, where it is known, what would be right.
	Message string
}

// Error renders the fault as file:line:column: path: message.
func (f *FieldError) Error() string {
	var b strings.Builder
	if f.Source != "" {
		b.WriteString(f.Source)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
		}
		b.WriteString(": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Unwrap makes every fault an [ErrInvalid].
func (f *FieldError) Unwrap() error { return ErrInvalid }

func fault(path, format string, args ...any) *FieldError {
	return &FieldError{Path: path, Message: fmt.Sprintf(format, args...)}
}

// maxFaults is how many faults are told at once.
const maxFaults = 50

// join returns the faults as one error, nil when there are none.
func join(faults []*FieldError) error {
	if more := len(faults) - maxFaults; more > 0 {
		last := &FieldError{Source: faults[0].Source, Message: fmt.Sprintf("%d more faults are not shown", more)}
		faults = append(faults[:maxFaults:maxFaults], last)
	}
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}
