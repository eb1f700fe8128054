package act

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// alive says what keeps the service in a container from being alive: its unit,
// or what it answers.
func (w *World) alive(ctx context.Context, s saga.State, c saga.Container) error {
	name := blueprint.UnitName(c.ID, c.Role)
	status, err := w.Driver.UnitStatus(ctx, driver.Ref{ID: c.ID, Stack: s.Stack}, name)
	if err != nil {
		return err
	}
	if status.State != unit.Active {
		return notActive(status)
	}
	if err := w.Probes.Alive(ctx, at(c, "health")); err != nil {
		return fmt.Errorf("service in container %d: %w", c.ID, err)
	}
	return nil
}

func notActive(s unit.Status) error {
	if s.LastExit == "" {
		return fmt.Errorf("unit %s is %s", s.Name, s.State)
	}
	return fmt.Errorf("unit %s is %s after %d restarts: %s; its log is %s", s.Name, s.State, s.Restarts, s.LastExit, s.Log)
}

// watchInterior looks after a container of a settled stack.
func (w *World) watchInterior(ctx context.Context, s saga.State, c saga.Container) (saga.Event, error) {
	err := w.alive(ctx, s, c)
	if err == nil || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return saga.ContainerLost{Run: s.Run, ID: c.ID, Reason: err.Error()}, nil
}

// at returns host:port of one of a container's ports.
func at(c saga.Container, purpose string) string {
	return net.JoinHostPort(c.Address, strconv.Itoa(c.Ports[purpose]))
}
