package act

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/probe"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// see looks whether a step works, as a client would: at the address where this
// stack's container is, whatever a message says, and trusting the root that the
// CA named last and nothing else. A message of a former life does no harm here.
func (w *World) see(ctx context.Context, s saga.State, step saga.Step) (saga.Event, error) {
	var err error
	switch step {
	case saga.StepCA:
		err = w.seeCA(ctx, s)
	case saga.StepProxy:
		err = w.seeOwn(ctx, s, events.RoleProxy, "proxy")
	case saga.StepGateway:
		err = w.seeOwn(ctx, s, events.RoleGateway, "gateway")
	case saga.StepFrontDoor:
		err = w.seeDoor(ctx, s)
	default:
		err = fmt.Errorf("step %q can't be seen", step)
	}
	if err != nil {
		return nil, err
	}
	return saga.StepSeen{Run: s.Run, Step: step}, nil
}

// seeCA asks the CA whether it is well.
func (w *World) seeCA(ctx context.Context, s saga.State) error {
	u, err := url.Parse(s.CA.Data.URL)
	if err != nil {
		return fmt.Errorf("URL of the CA: %w", err)
	}
	e, err := endpoint(s, events.RoleCA, "acme", u.Hostname())
	if err != nil {
		return err
	}
	return w.Probes.HTTPS(ctx, e, strings.TrimSuffix(s.CA.Data.URL, "/")+"/health")
}

// seeOwn makes a handshake for one of the stack's own names.
func (w *World) seeOwn(ctx context.Context, s saga.State, role events.Role, label string) error {
	e, err := endpoint(s, role, "https", label+"."+s.Domain)
	if err != nil {
		return err
	}
	return w.Probes.Handshake(ctx, e)
}

// seeDoor gets the front page through gateway and proxy.
func (w *World) seeDoor(ctx context.Context, s saga.State) error {
	e, err := endpoint(s, events.RoleGateway, "https", "gateway."+s.Domain)
	if err != nil {
		return err
	}
	return w.Probes.HTTPS(ctx, e, s.Address)
}

// watchDoor looks at the front door of a settled stack.
func (w *World) watchDoor(ctx context.Context, s saga.State) (saga.Event, error) {
	err := w.seeDoor(ctx, s)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return saga.FrontDoorSeen{Run: s.Run, Trouble: "the front door: " + err.Error()}, nil
	}
	return saga.FrontDoorSeen{Run: s.Run}, nil
}

// endpoint returns where the stack's container of that role serves.
func endpoint(s saga.State, role events.Role, purpose, name string) (probe.Endpoint, error) {
	i := slices.IndexFunc(s.Containers, func(c saga.Container) bool { return c.Role == role })
	if i < 0 {
		return probe.Endpoint{}, fmt.Errorf("stack %s has no %s", s.Stack, role)
	}
	return probe.Endpoint{Dial: at(s.Containers[i], purpose), Name: name, Root: s.CA.Data.Root}, nil
}
