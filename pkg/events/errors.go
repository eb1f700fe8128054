package events

import (
	"errors"
	"fmt"
)

// ErrNotFound says that a key, a message or a sealed pair is not there.
var ErrNotFound = errors.New("not found")

// ErrConflict says that a key was written by somebody else in the meantime.
var ErrConflict = errors.New("written in the meantime")

// errInvalid marks a message that no retry can mend.
var errInvalid = errors.New("invalid message")

// Invalid marks err: the message becomes a dead letter with this reason, at
// once. Any other error of a handler means "later".
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	return &invalidError{err}
}

// Invalidf is Invalid with a formatted reason.
func Invalidf(format string, args ...any) error { return Invalid(fmt.Errorf(format, args...)) }

// IsInvalid says whether err was marked by Invalid.
func IsInvalid(err error) bool { return errors.Is(err, errInvalid) }

type invalidError struct{ err error }

func (e *invalidError) Error() string { return e.err.Error() }

func (e *invalidError) Unwrap() []error { return []error{e.err, errInvalid} }

// unreadableError says that a payload can't be decoded, by whomever.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return e.err.Error() }

func (e *unreadableError) Unwrap() error { return e.err }
