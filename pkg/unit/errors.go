package unit

import (
	"errors"
	"net/http"
)

// The errors that callers decide on; compare with [errors.Is].
var (
	// ErrNotFound says that no such unit is defined.
	ErrNotFound = errors.New("no such unit")
	// ErrInvalid says that a name or a definition breaks the rules.
	ErrInvalid = errors.New("invalid unit")
	// ErrInactive says that the unit has no process to do this to.
	ErrInactive = errors.New("unit is not running")
	// ErrStart says that the unit's program could not be executed. The unit
	// stays wanted and is tried again.
	ErrStart = errors.New("unit could not be started")
	// ErrUnavailable says that no host answers, or that it is ending.
	ErrUnavailable = errors.New("host is not there")
)

// fault is how an error travels.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// faults pairs each sentinel with its code and HTTP status.
func faults() []struct {
	err    error
	code   string
	status int
} {
	return []struct {
		err    error
		code   string
		status int
	}{
		{ErrNotFound, "not_found", http.StatusNotFound},
		{ErrInvalid, "invalid", http.StatusBadRequest},
		{ErrInactive, "inactive", http.StatusConflict},
		{ErrStart, "start", http.StatusBadGateway},
		{ErrUnavailable, "unavailable", http.StatusServiceUnavailable},
	}
}

// faultOf renders err for the way to the client.
func faultOf(err error) (fault, int) {
	for _, f := range faults() {
		if errors.Is(err, f.err) {
			return fault{Code: f.code, Message: err.Error()}, f.status
		}
	}
	return fault{Code: "internal", Message: err.Error()}, http.StatusInternalServerError
}

// remoteError is an error that the host answered with.
type remoteError struct {
	message string
	kind    error
}

func (e *remoteError) Error() string { return e.message }
func (e *remoteError) Unwrap() error { return e.kind }

// err turns the fault back into an error that is one of the sentinels.
func (f fault) err() error {
	for _, known := range faults() {
		if known.code == f.Code {
			return &remoteError{message: f.Message, kind: known.err}
		}
	}
	return &remoteError{message: f.Message}
}
