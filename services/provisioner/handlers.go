package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel/propagation"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/services/provisioner/act"
	"github.com/phoenix-platform/phoenix/services/provisioner/reconcile"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// handlers answer events: each one validates, records in the ledger, and wakes
// the reconciler. What is to be done about it is the reconciler's business.
type handlers struct {
	ledger     ledgerOfAll
	stacks     waker
	configured act.Reader // the operator's configurations
	log        *slog.Logger
}

// ledgerOfAll is where handlers record what they heard.
type ledgerOfAll interface {
	reconcile.Ledger
	Stacks(ctx context.Context) ([]string, error)
}

// waker tells the reconciler of a stack to look at its state.
type waker interface{ Wake(stack string) }

// record lets the stack's saga hear of something.
func (h *handlers) record(ctx context.Context, stack string, e saga.Event) error {
	if _, err := h.ledger.Apply(ctx, stack, e); err != nil {
		return err
	}
	h.stacks.Wake(stack)
	return nil
}

// recordAll lets every stack hear what a service said. A bus has one stack, but
// for the records of former ones, which are not interested.
func (h *handlers) recordAll(ctx context.Context, e saga.Event) error {
	stacks, err := h.ledger.Stacks(ctx)
	if err != nil {
		return err
	}
	for _, stack := range stacks {
		if err := h.record(ctx, stack, e); err != nil {
			return err
		}
	}
	return nil
}

// known returns nil when a stack of that name may be asked for: it is built in,
// it has a configuration, or it was there before.
func (h *handlers) known(ctx context.Context, stack string) error {
	if err := name.Service(stack); err != nil {
		return events.Invalid(fmt.Errorf("stack: %w", err))
	}
	if stack == config.Default().Stack {
		return nil
	}
	_, _, err := h.configured.Get(ctx, stack)
	if !errors.Is(err, events.ErrNotFound) {
		return err
	}
	s, err := h.ledger.Load(ctx, stack)
	if err == nil && s.Sequence == 0 {
		return events.Invalid(fmt.Errorf("stack %q is not known: it has no configuration", stack))
	}
	return err
}

// traceparent returns the trace that ctx belongs to, as W3C writes it.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}
