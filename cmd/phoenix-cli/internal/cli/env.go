package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/shellenv"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func newEnv(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "env",
		GroupID: groupBus,
		Short:   "print shell exports, so that plain nats, step and curl work",
		Long: `Prints commands for a POSIX shell that let other programs work with the stack:
nats with the operator's identity on the stack's bus, step with its CA, and curl
and everything else that reads SSL_CERT_FILE with its root certificate beside
the system's own.

Nothing outside the stack's home is written: the context of the nats command is
named by its path. Variables that would have the nats command go elsewhere are
unset.`,
		Example: `eval "$(phoenix-cli env)"
nats pub -J service.registered '{"name":"grafana","url":"http://127.0.0.1:3000"}'
nats sub cert.issued
nats stream ls
step ca health
curl https://portainer.phoenix.localhost:8443/`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.exports(cmd.Context()) },
	}
	section(cmd, sectionJSON, `{"set":[{"name","value"}],"unset":[...]}`)
	section(cmd, sectionFiles, `$PHOENIX_HOME/env/<stack>.json  context of the nats command
$PHOENIX_HOME/env/root.pem      root certificate
$PHOENIX_HOME/env/bundle.pem    the system's root certificates and ours`)
	return cmd
}

func (a *app) exports(ctx context.Context) error {
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	facts, err := s.op.Facts(ctx, s.stack)
	if err != nil {
		return err
	}
	if facts.CA.Root == "" {
		return fault.Latef("phoenix-cli status tells what it waits for", "stack %s has no certificate authority yet", s.stack)
	}
	folder := site.BusFolder(s.home)
	env, err := shellenv.Write(shellenv.Stack{
		Home: s.home.Root, Name: s.stack, Bus: s.info.Bus, BusCA: folder.CA(), Nkey: folder.Seed(events.Ops),
		CA: facts.CA.URL, RootPEM: facts.CA.Root,
	}, a.Getenv)
	if err != nil {
		return err
	}
	return a.write(env, func(w io.Writer, _ view.Style) error {
		_, err := io.WriteString(w, env.Shell())
		return err
	})
}
