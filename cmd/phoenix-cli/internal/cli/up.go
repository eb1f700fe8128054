package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/pkg/config"
)

// upFlags say how to bring the stack up.
type upFlags struct {
	standIns bool
	timeout  time.Duration
}

func newUp(a *app) *cobra.Command {
	var c configFlags
	var f upFlags
	cmd := &cobra.Command{
		Use:     "up [flags]",
		GroupID: groupStack,
		Short:   "bring the stack up, or to its present configuration",
		Long: `Brings the stack up and ends when its front door has answered over verified
HTTPS and every configured service is served. Before anything is touched, the
configuration, the programs, the disk, the clock and the ports are checked.

Again, it brings the stack to its present configuration; where nothing has
changed it changes nothing. After a crash it goes on where it was. Ctrl-C ends
the watching, not the run.

` + configHelp,
		Example: `phoenix-cli up --stand-in-backends
phoenix-cli up -f phoenix.yaml
PHOENIX_HOME=~/second phoenix-cli up --addresses 127.0.2`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.timeout < 0 {
				return fault.Misusef("give it as 90s or 10m", "--timeout %s is negative", f.timeout)
			}
			want, file, err := a.resolve(c, cmd)
			if err != nil {
				return err
			}
			return a.up(cmd.Context(), want, file, f)
		},
	}
	c.bind(cmd)
	cmd.Flags().BoolVar(&f.standIns, "stand-in-backends", false,
		"replace every backend by a small one on this machine that answers; without services, portainer and dr-phoenix")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "longest `time` to wait (default deadline.run and half a minute)")
	section(cmd, sectionJSON, "The stack, as status reports it.")
	section(cmd, sectionFiles, `$PHOENIX_HOME/phoenix.yaml   the configuration that up last used
$PHOENIX_HOME/host/host.log  log of the host, which holds the bus and runs the services
$PHOENIX_HOME/host/log/      logs of the services`)
	return cmd
}

// timeoutFor is how long up waits: what was asked for, or a little more than
// the run itself may take, so that the run's own words come first.
func (f upFlags) timeoutFor(want config.Stack) time.Duration {
	if f.timeout > 0 {
		return f.timeout
	}
	return want.Deadline.Run.Std() + 30*time.Second
}

// up brings the stack up.
func (a *app) up(ctx context.Context, want config.Stack, file string, f upFlags) error {
	u := &upRun{app: a, progress: a.progress(), flags: f, want: want}
	defer u.progress.Close()
	if file != "" {
		u.progress.Note("configuration %s", file)
	}
	all, cancel := context.WithTimeout(ctx, f.timeoutFor(want))
	defer cancel()
	return u.explain(ctx, u.do(all))
}
