package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

func newServices(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "services",
		GroupID: groupServices,
		Short:   "list the services and how each is served",
		Long: `Lists every service that is registered or configured: its URL, its state, its
certificate, where it really listens, and which hops of the way to it are
encrypted and verified.`,
		Example: `phoenix-cli services
phoenix-cli services -o json | jq -r '.[].url'`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.services(cmd.Context()) },
	}
	section(cmd, sectionJSON, "A list of the objects that status has under services; the schema is\ndocs/cli/services.schema.json.")
	return cmd
}

func (a *app) services(ctx context.Context) error {
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	facts, err := s.facts(ctx)
	if err != nil {
		return err
	}
	list := view.Services(facts)
	return a.write(list, func(w io.Writer, style view.Style) error {
		return view.ServicesText(w, style, facts.Now, list)
	})
}
