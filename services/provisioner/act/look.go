package act

import (
	"context"
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// look tells what is there of a container before the run touches it.
func (w *World) look(ctx context.Context, s saga.State, c saga.Container) (saga.Event, error) {
	found, err := w.Driver.Inspect(ctx, c.ID)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return saga.Found{Run: s.Run, ID: c.ID, Before: saga.Missing}, nil
	case errors.Is(err, driver.ErrForeign):
		return nil, foreign(c, err)
	case err != nil:
		return nil, err
	case found.Stack != s.Stack || found.Role != c.Role:
		return nil, foreign(c, fmt.Errorf("it is %s of stack %s: %w", found.Role, found.Stack, driver.ErrForeign))
	case found.Running:
		return saga.Found{Run: s.Run, ID: c.ID, Before: saga.Running}, nil
	default:
		return saga.Found{Run: s.Run, ID: c.ID, Before: saga.Kept}, nil
	}
}

// foreign refuses a container that somebody else has.
func foreign(c saga.Container, err error) error {
	return refuse(fmt.Errorf("container %d is taken and was not touched; move it away or remove it: %w", c.ID, err))
}
