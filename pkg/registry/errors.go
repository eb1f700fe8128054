package registry

import (
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// The reasons of a refusal; compare with [errors.Is].
var (
	// ErrInvalid says that the message is wrong in itself.
	ErrInvalid = errors.New("invalid service")
	// ErrHeld says that somebody else holds the name or a host; the error is a
	// [HeldError].
	ErrHeld = errors.New("held by somebody else")
	// ErrSuperseded says that the message was replayed although a newer one about
	// the same name is in force.
	ErrSuperseded = errors.New("superseded by a newer message")
)

// HeldError says who holds what a message wanted.
type HeldError struct {
	Host   string          // the host; empty when it is about the name itself
	Holder string          // name of the service that holds it
	Owner  events.Identity // who registered that service
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.Host == "" {
		return fmt.Sprintf("service %q belongs to %s, who registered it", e.Holder, e.Owner)
	}
	return fmt.Sprintf("host %q is held by service %q, which %s registered", e.Host, e.Holder, e.Owner)
}

// Is makes a HeldError an ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

func invalid(err error) error {
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}
