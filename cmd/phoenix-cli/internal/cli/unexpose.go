package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/await"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

// unexposeFlags say how long to wait.
type unexposeFlags struct {
	noWait  bool
	timeout time.Duration
}

func newUnexpose(a *app) *cobra.Command {
	var f unexposeFlags
	cmd := &cobra.Command{
		Use:     "unexpose NAME [flags]",
		GroupID: groupServices,
		Short:   "serve a service no longer",
		Long: `Gives a service's name and hosts back: its route and its certificate go, and
somebody else may have them. The backend itself is left alone.

A service of phoenix.yaml comes back with the next up; take it out of the file.`,
		Example:           "phoenix-cli unexpose grafana",
		Args:              takes("NAME"),
		ValidArgsFunction: a.complete(1, serviceNames),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.unexpose(cmd.Context(), args[0], f) },
	}
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "end when the bus has the wish")
	cmd.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "longest `time` to wait until it is gone")
	section(cmd, sectionJSON, `{"done","name"}`)
	return cmd
}

func (a *app) unexpose(ctx context.Context, service string, f unexposeFlags) error {
	if err := name.Service(service); err != nil {
		return fault.Misuse(err, "")
	}
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.known(ctx, service); err != nil {
		return err
	}
	mark, err := s.op.Mark(ctx)
	if err != nil {
		return err
	}
	if _, err := s.op.Say(ctx, events.ServiceRemoved{Name: service}); err != nil {
		return err
	}
	if f.noWait {
		return a.report(done{Done: "asked", Name: service}, "%s is about to go.\n", service)
	}
	if err := a.awaitGone(ctx, s, mark, service, f.timeout); err != nil {
		return err
	}
	return a.report(done{Done: "removed", Name: service}, "%s is served no longer.\n", service)
}

// awaitGone waits until nothing of the service is left.
func (a *app) awaitGone(ctx context.Context, s *session, mark client.Mark, service string, timeout time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	w := await.Waiter{Op: s.op, Facts: s.facts, Since: mark, Tell: func([]await.Missing) {}}
	left, err := w.Gone(waiting, service)
	switch {
	case ctx.Err() != nil:
		return fault.Failuref("phoenix-cli services tells how it goes on", "interrupted; %s is going all the same", service)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Latef("phoenix-cli services tells how it goes on", "%s is not gone after %s: %s", service, timeout, reasonOf(left))
	}
	return err
}

// known refuses a name that no service has.
func (s *session) known(ctx context.Context, service string) error {
	f, err := s.op.Facts(ctx, s.stack)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(f.Services))
	for _, v := range f.Services {
		if v.Name == service {
			return nil
		}
		names = append(names, v.Name)
	}
	hint := "phoenix-cli services lists the services"
	if near := nearest.Of(service, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fault.Failuref(hint, "no service is called %q", service)
}
