package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func newStatus(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: groupStack,
		Short:   "tell how the stack is: containers, services, certificates",
		Long: `Tells what state the stack is in, where it answers, which containers it has, and
which services it serves: over which URL, with which certificate, and which
hops of the way are encrypted and verified.

The stack is one of: absent, starting, ready, degraded, failed, stopping.
A service is one of: pending, ready, degraded, failed. It is ready when its
certificate was seen in a real handshake at the proxy and at the gateway.

When nothing runs the stack is absent, which is no error.`,
		Example: `phoenix-cli status
phoenix-cli status -o json | jq -r '.services[] | select(.state != "ready") | .name'`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
	section(cmd, sectionJSON, `One object; its schema is docs/cli/status.schema.json:
{"stack","state","run","address","ca":{"url","acme_directory","root_fingerprint"},
 "containers":[{"id","role","name","address","driver","state"}],
 "services":[{"name","hosts","url","state","issuer","serial","not_after",
   "hops":[{"from","to","encrypted","verified"}]}]}`)
	return cmd
}

func (a *app) status(ctx context.Context) error {
	stack, facts, err := a.lookAround(ctx)
	if err != nil {
		return err
	}
	s := view.NewStatus(stack, facts)
	return a.write(s, func(w io.Writer, style view.Style) error { return s.Text(w, style, facts) })
}

// lookAround returns the name and the facts of the home's stack. When no host
// answers it is absent, unless units of a killed host run on.
func (a *app) lookAround(ctx context.Context) (string, view.Facts, error) {
	s, err := a.attach(ctx)
	switch {
	case errors.Is(err, errNothingRuns):
		return a.withoutHost()
	case errors.Is(err, errBusStarts):
		return a.withoutBus()
	case err != nil:
		return "", view.Facts{}, err
	}
	defer s.close()
	facts, err := s.facts(ctx)
	return s.stack, facts, err
}

// withoutBus is a stack whose host has just begun, or waits for an external bus.
func (a *app) withoutBus() (string, view.Facts, error) {
	name, facts, err := a.withoutHost()
	facts.Stack.State, facts.Stack.Reason = events.StateStarting, "its host waits for the bus"
	return name, facts, err
}

func (a *app) withoutHost() (string, view.Facts, error) {
	facts := view.Facts{Now: time.Now()}
	root, err := a.homeRoot()
	if err != nil {
		return "", facts, fault.Misuse(err, "")
	}
	h, err := home.Read(root)
	if errors.Is(err, home.ErrNoHome) {
		return config.Default().Stack, facts, nil
	}
	if err != nil {
		return "", facts, err
	}
	left, err := host.Left(h)
	if len(left) > 0 {
		facts.Stack.State = events.StateDegraded
		facts.Stack.Reason = "its host has ended and left running: " + strings.Join(left, ", ") +
			"; phoenix-cli up takes them over, phoenix-cli down ends them"
	}
	return stackName(h), facts, err
}
