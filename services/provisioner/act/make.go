package act

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// makeContainer brings a container to what the configuration wants: there,
// filled, and its service running. What is right already is left alone.
func (w *World) makeContainer(ctx context.Context, s saga.State, c saga.Container) (saga.Event, error) {
	plan, err := w.blueprint(ctx, s, c)
	if err != nil {
		return nil, err
	}
	made, created, err := w.Driver.Create(ctx, driver.Spec{
		ID: c.ID, Mark: driver.Mark{Stack: s.Stack, Run: s.Run, Role: c.Role, Name: c.Name},
	})
	if errors.Is(err, driver.ErrForeign) {
		return nil, foreign(c, err)
	}
	if err != nil {
		return nil, err
	}
	ref := made.Ref()
	if err := w.Driver.Start(ctx, ref); err != nil {
		return nil, err
	}
	filled, err := w.fill(ctx, ref, plan)
	if err != nil {
		return nil, err
	}
	if err := w.Driver.StartUnit(ctx, ref, plan.Unit.Name); err != nil {
		return nil, err
	}
	return saga.ContainerMade{
		Run: s.Run, ID: c.ID, Changed: created || filled.changed,
		Seen: saga.Seen{Run: made.Run, Driver: w.Driver.Name(), Address: made.Address, Ports: plan.Ports, Curve: filled.curve},
	}, nil
}

// blueprint returns how the container shall be.
func (w *World) blueprint(ctx context.Context, s saga.State, c saga.Container) (blueprint.Container, error) {
	stack, err := w.held(ctx, s.Stack)
	if err != nil {
		return blueprint.Container{}, err
	}
	all := w.Site.Containers(stack)
	i := slices.IndexFunc(all, func(b blueprint.Container) bool { return b.ID == c.ID })
	if i < 0 {
		return blueprint.Container{}, fmt.Errorf("container %d is not part of stack %s", c.ID, s.Stack)
	}
	return all[i], nil
}

// probe looks whether the service inside a container is alive.
func (w *World) probe(ctx context.Context, s saga.State, c saga.Container) (saga.Event, error) {
	if err := w.alive(ctx, s, c); err != nil {
		return nil, err
	}
	return saga.ContainerAlive{Run: s.Run, ID: c.ID}, nil
}
