package cli

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/standin"
)

func newStandIn(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "stand-in FILE",
		Hidden: true,
		Short:  "serve the stand-in backends that a file lists (up --stand-in-backends does it)",
		Args:   takes("FILE"),
		RunE:   func(cmd *cobra.Command, args []string) error { return a.standIn(cmd.Context(), args[0]) },
	}
}

func (a *app) standIn(ctx context.Context, file string) error {
	return standin.Run(ctx, file, slog.New(slog.NewTextHandler(a.Stderr, nil)))
}
