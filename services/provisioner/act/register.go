package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/claims"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// claimsKey is followed by the stack's name: what was registered for it.
const claimsKey = "claims."

// sideBySide is how many messages are under way at once: the bus syncs each to
// disk before it answers.
const sideBySide = 64

// register says which services the configuration has that are not registered so
// already, and which it has no more.
func (w *World) register(ctx context.Context, s saga.State) (saga.Event, error) {
	stack, err := w.held(ctx, s.Stack)
	if err != nil {
		return nil, err
	}
	old, err := w.claims(ctx, s.Stack)
	if err != nil {
		return nil, err
	}
	held, err := w.registered(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := claims.New(old, held, stack, s.Run)
	if err != nil {
		return nil, err
	}
	if plan.Changed == 0 {
		return saga.ServicesRegistered{Run: s.Run}, nil
	}
	if err := w.saveClaims(ctx, s.Stack, plan.Unsure(old)); err != nil {
		return nil, err
	}
	if err := w.carryOut(ctx, plan, s.Run); err != nil {
		return nil, err
	}
	if err := w.saveClaims(ctx, s.Stack, plan.Record); err != nil {
		return nil, err
	}
	return saga.ServicesRegistered{Run: s.Run, Changed: plan.Changed}, nil
}

// withdraw removes the services that the failed run registered; when the stack
// and all its data goes, all that were ever registered for it.
func (w *World) withdraw(ctx context.Context, s saga.State) (saga.Event, error) {
	old, err := w.claims(ctx, s.Stack)
	if err != nil {
		return nil, err
	}
	var runs []string
	if s.Phase == saga.Undoing {
		runs = s.Runs()
	}
	plan := claims.Withdraw(old, runs)
	if plan.Changed == 0 {
		return saga.ServicesWithdrawn{Run: s.Run}, nil
	}
	if err := w.carryOut(ctx, plan, s.Run+"/withdrawn"); err != nil {
		return nil, err
	}
	if err := w.saveClaims(ctx, s.Stack, plan.Record); err != nil {
		return nil, err
	}
	return saga.ServicesWithdrawn{Run: s.Run, Count: plan.Changed}, nil
}

// carryOut says what the plan wants said: all removals, then the rest.
func (w *World) carryOut(ctx context.Context, plan claims.Plan, key string) error {
	removals := make([]events.Payload, 0, len(plan.Remove))
	for _, r := range plan.Remove {
		removals = append(removals, r)
	}
	if err := w.publishAll(ctx, removals, key); err != nil {
		return err
	}
	registrations := make([]events.Payload, 0, len(plan.Register))
	for _, r := range plan.Register {
		registrations = append(registrations, r)
	}
	return w.publishAll(ctx, registrations, key)
}

func (w *World) publishAll(ctx context.Context, list []events.Payload, key string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for _, p := range list {
		group.Go(func() error {
			_, err := w.Bus.Publish(ctx, p, events.WithKey(key+"/"+serviceName(p)))
			return err
		})
	}
	return group.Wait()
}

func serviceName(p events.Payload) string {
	switch p := p.(type) {
	case events.ServiceRegistered:
		return p.Name
	case events.ServiceRemoved:
		return p.Name
	default:
		return ""
	}
}

// registered tells which services are registered in the provisioner's name.
func (w *World) registered(ctx context.Context) (map[string]bool, error) {
	found, err := w.Registry.List(ctx, "service.")
	if err != nil {
		return nil, fmt.Errorf("read which services are registered: %w", err)
	}
	out := map[string]bool{}
	for key, raw := range found {
		var s events.ServiceState
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("read registered %s: %w", key, err)
		}
		if s.Owner == events.Provisioner {
			out[s.Name] = true
		}
	}
	return out, nil
}

func (w *World) claims(ctx context.Context, stack string) (claims.Record, error) {
	raw, _, err := w.Own.Get(ctx, claimsKey+stack)
	if errors.Is(err, events.ErrNotFound) {
		return claims.Record{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is registered for %s: %w", stack, err)
	}
	var out claims.Record
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("read what is registered for %s: %w", stack, err)
	}
	return out, nil
}

func (w *World) saveClaims(ctx context.Context, stack string, r claims.Record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("render what is registered for %s: %w", stack, err)
	}
	if _, err := w.Own.Put(ctx, claimsKey+stack, raw); err != nil {
		return fmt.Errorf("record what is registered for %s: %w", stack, err)
	}
	return nil
}
