package fault

import (
	"errors"
	"fmt"
)

// The exit codes of every command.
const (
	Done     = 0 // it was done, or nothing had to be done
	Failed   = 1 // it was tried and failed
	Misused  = 2 // wrong use of a command, or a wrong configuration
	NotReady = 3 // not ready in time; what was begun goes on
)

// Error is an error with its exit code and what to do next.
type Error struct {
	Err  error
	Next string // what to do next; may be empty
	Code int
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns what to do next.
func (e *Error) Hint() string { return e.Next }

// ExitCode returns the exit code of the command that ends with this error.
func (e *Error) ExitCode() int { return e.Code }

// Misusef says that a command was used wrongly.
func Misusef(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Next: hint, Code: Misused}
}

// Misuse marks err as wrong use or wrong configuration; nil stays nil.
func Misuse(err error, hint string) error { return mark(err, hint, Misused) }

// Failuref says that something was tried and failed.
func Failuref(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Next: hint, Code: Failed}
}

// Failure adds what to do next to err; nil stays nil.
func Failure(err error, hint string) error { return mark(err, hint, Failed) }

// Latef says that something was not ready in time.
func Latef(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Next: hint, Code: NotReady}
}

func mark(err error, hint string, code int) error {
	if err == nil {
		return nil
	}
	return &Error{Err: err, Next: hint, Code: code}
}

// Code returns the exit code that err calls for.
func Code(err error) int {
	if err == nil {
		return Done
	}
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return Failed
}

// Hints collects what the errors in err's tree say to do next, each once, the
// outermost first.
func Hints(err error) []string {
	var out []string
	walk(err, func(e error) {
		h, ok := e.(interface{ Hint() string })
		if !ok || h.Hint() == "" {
			return
		}
		for _, known := range out {
			if known == h.Hint() {
				return
			}
		}
		out = append(out, h.Hint())
	})
	return out
}

// Problems splits err into the lines that a person reads: the parts of joined
// errors one by one, anything else as it is.
func Problems(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && isJoin(err, joined.Unwrap()) {
		var out []string
		for _, part := range joined.Unwrap() {
			out = append(out, Problems(part)...)
		}
		return out
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // this very error: what wraps it says more
		return Problems(e.Err)
	}
	return []string{err.Error()}
}

// isJoin tells errors.Join from an fmt.Errorf with several %w, whose text is
// more than its parts.
func isJoin(err error, parts []error) bool {
	return err.Error() == errors.Join(parts...).Error()
}

func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch u := err.(type) { //nolint:errorlint // the tree is walked by hand
	case interface{ Unwrap() error }:
		walk(u.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, part := range u.Unwrap() {
			walk(part, visit)
		}
	}
}
