package act

import (
	"context"
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// list tells which containers of the stack there are.
func (w *World) list(ctx context.Context, s saga.State) (saga.Event, error) {
	found, err := w.Driver.List(ctx, s.Stack)
	if err != nil {
		return nil, err
	}
	out := saga.ContainersListed{Run: s.Run}
	for _, f := range found {
		c, _ := s.Container(f.ID)
		c.Wish = saga.Wish{ID: f.ID, Role: f.Role, Name: f.Name}
		c.Driver, c.Address, c.Seen.Run = w.Driver.Name(), f.Address, f.Run
		out.Containers = append(out.Containers, c)
	}
	return out, nil
}

// remove takes a container down because the stack shall be absent.
func (w *World) remove(ctx context.Context, s saga.State, c saga.Container) (saga.Event, error) {
	what, err := w.takeDown(ctx, driver.Ref{ID: c.ID, Stack: s.Stack}, c, driver.Data(s.Purge))
	if err != nil {
		return nil, err
	}
	return saga.ContainerRemoved{Run: s.Run, ID: c.ID, What: what}, nil
}

// undo brings a container back to what it was before the run that failed. Data
// goes only when the run itself, or one that joined it, had created it.
func (w *World) undo(ctx context.Context, s saga.State, c saga.Container) (saga.Event, error) {
	ref, data := driver.Ref{ID: c.ID, Stack: s.Stack}, driver.Keep
	if c.Before == saga.Missing {
		ref.Runs, data = s.Runs(), driver.Purge
	}
	what, err := w.takeDown(ctx, ref, c, data)
	if err != nil {
		return nil, err
	}
	return saga.ContainerUndone{Run: s.Run, ID: c.ID, What: what}, nil
}

// takeDown destroys a container and says what that was, for people; nothing
// when there was nothing to do. What belongs to somebody else is left alone.
func (w *World) takeDown(ctx context.Context, ref driver.Ref, c saga.Container, data driver.Data) (string, error) {
	found, err := w.Driver.Inspect(ctx, ref.ID)
	if err == nil && (data == driver.Purge || found.Running) {
		err = w.Driver.Destroy(ctx, ref, data)
	} else if err == nil {
		return "", nil
	}
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return "", nil
	case errors.Is(err, driver.ErrForeign):
		w.Log.WarnContext(ctx, "left alone what is not ours", "container", ref.ID, "err", err)
		return "", nil
	case err != nil:
		return "", err
	case data == driver.Keep:
		return fmt.Sprintf("container %d (%s), its data is kept", c.ID, c.Role), nil
	default:
		return fmt.Sprintf("container %d (%s)", c.ID, c.Role), nil
	}
}
