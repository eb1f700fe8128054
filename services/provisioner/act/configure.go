package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// configKey is followed by the stack's name: the configuration of its present
// run. What the operator writes afterwards is for the next one.
const configKey = "config."

// configure reads the stack's configuration and holds it for the run.
func (w *World) configure(ctx context.Context, s saga.State) (saga.Event, error) {
	stack, err := w.wanted(ctx, s.Stack)
	if err != nil {
		return nil, err
	}
	if err := w.Site.Check(stack); err != nil {
		return nil, refuse(err)
	}
	raw, err := json.Marshal(stack)
	if err != nil {
		return nil, fmt.Errorf("render configuration: %w", err)
	}
	if _, err := w.Own.Put(ctx, configKey+s.Stack, raw); err != nil {
		return nil, fmt.Errorf("hold the configuration of %s: %w", s.Stack, err)
	}
	url, _ := w.Site.FrontDoor(stack)
	out := saga.Configured{
		Run: s.Run, Domain: stack.Domain, Address: url, Driver: w.Driver.Name(),
		Limits: saga.Limits{Run: stack.Deadline.Run.Std(), Step: stack.Deadline.Step.Std()},
	}
	for _, c := range w.Site.Containers(stack) {
		out.Wishes = append(out.Wishes, saga.Wish{ID: c.ID, Role: c.Role, Name: c.Name})
	}
	return out, nil
}

// wanted reads what the operator wants the stack to be.
func (w *World) wanted(ctx context.Context, name string) (config.Stack, error) {
	raw, _, err := w.Stacks.Get(ctx, name)
	if errors.Is(err, events.ErrNotFound) {
		return w.builtIn(name)
	}
	if err != nil {
		return config.Stack{}, fmt.Errorf("read the configuration of %s: %w", name, err)
	}
	stack, err := config.Decode(raw)
	if err != nil {
		return config.Stack{}, refuse(err)
	}
	if stack.Stack != name {
		return config.Stack{}, refuse(fmt.Errorf("the configuration of stack %s is for stack %s", name, stack.Stack))
	}
	return stack, nil
}

// builtIn returns the stack that needs no configuration, at this site.
func (w *World) builtIn(name string) (config.Stack, error) {
	stack := config.Default()
	if name != stack.Stack {
		return config.Stack{}, refuse(fmt.Errorf("stack %s has no configuration", name))
	}
	stack.Addresses, stack.Driver = w.Site.Addresses, w.Site.Driver
	return stack, nil
}

// held reads the configuration of the present run.
func (w *World) held(ctx context.Context, name string) (config.Stack, error) {
	raw, _, err := w.Own.Get(ctx, configKey+name)
	if err != nil {
		return config.Stack{}, fmt.Errorf("read the run's configuration: %w", err)
	}
	return config.Decode(raw)
}
