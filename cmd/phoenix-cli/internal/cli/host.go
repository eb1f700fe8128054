package cli

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/pkg/version"
)

func newHost(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "host",
		GroupID: groupProgram,
		Short:   "hold the bus and run the services, in the foreground (up does it)",
		Long: `Plays systemd's part for a stack on one machine: holds the message bus and runs
the services, Traefik and nginx as units, each restarted when it ends. It ends
with SIGTERM, Ctrl-C or phoenix-cli down, and stops all of them first.

up starts it in the background where it does not run yet. Run by hand or by a
service manager it stays in the foreground and logs to standard error.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.host(cmd.Context()) },
	}
	return cmd
}

func (a *app) host(ctx context.Context) error {
	root, err := a.homeRoot()
	if err != nil {
		return fault.Misuse(err, "")
	}
	h, stack, err := a.openHome(root)
	if err != nil {
		return err
	}
	programs, err := site.FindPrograms(ctx, stack, a.Getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: a.hostLevel(stack)}))
	bus, err := site.Bus(h, stack, log)
	if err != nil {
		return err
	}
	provisioner, err := site.Provisioner(h, stack, programs, a.Environ())
	if err != nil {
		return err
	}
	return host.Run(ctx, host.Options{
		Home: h, Version: version.String(), Bus: bus, Units: []unit.Unit{provisioner}, Getenv: a.Getenv, Log: log,
	})
}

// openHome opens the home with the configuration that up left there, or the
// one of the environment.
func (a *app) openHome(root string) (*home.Home, config.Stack, error) {
	stack, ok, err := loadStored(root)
	if err == nil && !ok {
		stack, err = config.Resolve("", a.Getenv, nil)
	}
	if err != nil {
		return nil, config.Stack{}, fault.Misuse(err, "phoenix-cli up writes it anew")
	}
	h, err := home.Open(root, stack.Addresses)
	return h, stack, explainHome(err)
}

// hostLevel is the level of the host's own log: the stack's.
func (a *app) hostLevel(stack config.Stack) slog.Level {
	if a.flags.verbose {
		return slog.LevelDebug
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(stack.Log.Level)); err != nil {
		return slog.LevelInfo
	}
	return level
}
