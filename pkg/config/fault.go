package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid marks every error about the configuration's contents: the person
// who wrote it has to change something, trying again does not help.
var ErrInvalid = errors.New("invalid configuration")

// Fault is one thing that is wrong with a configuration, and where.
type Fault struct {
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
func (f *Fault) Error() string {
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
func (f *Fault) Unwrap() error { return ErrInvalid }

func fault(path, format string, args ...any) *Fault {
	return &Fault{Path: path, Message: fmt.Sprintf(format, args...)}
}

// join returns all faults as one error, nil when there are none.
func join(faults []*Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}
