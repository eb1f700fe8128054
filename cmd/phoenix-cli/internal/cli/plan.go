package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/plan"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func newPlan(a *app) *cobra.Command {
	var c configFlags
	cmd := &cobra.Command{
		Use:     "plan [flags]",
		GroupID: groupStack,
		Short:   "tell what up would change, and change nothing",
		Long: `Compares the configuration with what is there, and tells what up would create
(+), change (~) and remove (-), and what the stack would refuse (!) because
somebody else holds the name or the host.

` + configHelp,
		Example: `phoenix-cli plan
phoenix-cli plan -f phoenix.yaml --ca-duration 48h
phoenix-cli plan -o json | jq '.steps | length'`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			want, _, err := a.resolve(c, cmd)
			if err != nil {
				return err
			}
			return a.plan(cmd.Context(), want)
		},
	}
	c.bind(cmd)
	section(cmd, sectionJSON, `{"stack","steps":[{"action","kind","name","detail"}]}; action is one of
create, change, remove, refuse. The schema is docs/cli/plan.schema.json.`)
	return cmd
}

func (a *app) plan(ctx context.Context, want config.Stack) error {
	now, err := a.present(ctx, want.Stack)
	if err != nil {
		return err
	}
	p := plan.New(want, now)
	return a.write(p, p.Text)
}

// present returns what is there; nothing when no stack runs.
func (a *app) present(ctx context.Context, stack string) (plan.Now, error) {
	s, err := a.attach(ctx)
	if errors.Is(err, errNothingRuns) {
		return plan.Now{}, nil
	}
	if err != nil {
		return plan.Now{}, err
	}
	defer s.close()
	f, err := s.op.Facts(ctx, stack)
	if err != nil {
		return plan.Now{}, err
	}
	now := plan.Now{Stack: f.Stack, Containers: f.Containers, Services: f.Services}
	was, err := s.op.Config(ctx, stack)
	switch {
	case err == nil:
		now.Config = &was
	case !errors.Is(err, events.ErrNotFound):
		return plan.Now{}, err
	}
	return now, nil
}
