package cli

import (
	"github.com/spf13/cobra"
)

// newRoot returns the command with everything below it.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "trusted HTTPS for every service of a home lab, with one command",
		Long: `Phoenix runs a certificate authority (step-ca), a reverse proxy (Traefik) and a
gateway (nginx), and keeps them together over a message bus (NATS JetStream):
every service that is registered gets a certificate and is served over HTTPS,
every hop encrypted and verified.

One folder, the home, holds one stack: its bus, its keys and its containers.`,
		Example: `phoenix-cli up --stand-in-backends
curl --cacert <(phoenix-cli trust) https://portainer.phoenix.localhost:8443/
phoenix-cli expose grafana http://127.0.0.1:3000
phoenix-cli status`,
		Args:              takesCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun:  func(*cobra.Command, []string) { a.begun = true },
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	a.flags.bind(root)
	root.SetHelpFunc(help)
	root.SetFlagErrorFunc(flagError)
	section(root, sectionFiles, `phoenix.yaml                 configuration, read from the current folder by up and plan
$PHOENIX_HOME                everything of the stack; only its owner may read it
$PHOENIX_HOME/host/host.log  log of the host
$PHOENIX_HOME/host/log/      logs of the services, of Traefik and of nginx`)
	section(root, sectionEnv, `PHOENIX_HOME      folder of the stack; default $XDG_STATE_HOME/phoenix, else
                  ~/.local/state/phoenix
PHOENIX_<KEY>     a key of phoenix.yaml, such as PHOENIX_CA_DURATION for ca.duration
PHOENIX_PROGRAMS  folder of the services' programs; default: beside this program
NO_COLOR, CI      no colours; in CI also plain lines instead of a moving one`)
	root.AddGroup(
		&cobra.Group{ID: groupStack, Title: "The stack"},
		&cobra.Group{ID: groupServices, Title: "Its services"},
		&cobra.Group{ID: groupTrust, Title: "Its certificates"},
		&cobra.Group{ID: groupBus, Title: "Its bus"},
		&cobra.Group{ID: groupProgram, Title: "This program"},
	)
	for _, add := range []func(*app) *cobra.Command{
		newUp, newDown, newPlan, newStatus, newExpose, newUnexpose, newServices, newImport,
		newCerts, newTrust, newEnv, newWatch, newDeadLetters, newHost, newStandIn, newCompletion, newVersion,
	} {
		root.AddCommand(add(a))
	}
	root.SetHelpCommandGroupID(groupProgram)
	completeNoFiles(root)
	return root
}

// completeNoFiles keeps shells from offering files where no command takes any.
func completeNoFiles(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		completeNoFiles(sub)
		if sub.ValidArgsFunction == nil && len(sub.ValidArgs) == 0 && sub.Name() != "import" {
			sub.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
}

// The groups in which the commands are listed.
const (
	groupStack    = "stack"
	groupServices = "services"
	groupTrust    = "trust"
	groupBus      = "bus"
	groupProgram  = "program"
)
