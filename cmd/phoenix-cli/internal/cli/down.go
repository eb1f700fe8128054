package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/await"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/progress"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// downFlags say how to take the stack down.
type downFlags struct {
	purge   bool
	timeout time.Duration
}

func newDown(a *app) *cobra.Command {
	var f downFlags
	cmd := &cobra.Command{
		Use:     "down [flags]",
		GroupID: groupStack,
		Short:   "take the stack down: only what it owns",
		Long: `Removes the stack's containers, each only after its mark of ownership was
checked, and ends the host with its bus. Nothing keeps running, no port stays
taken. The data stays: the CA, its certificates, what the bus holds and the
configuration; up goes on with them. With --purge they are removed too, and the
home with them.

Where nothing runs there is nothing to do, which is no error. What a killed host
has left running is ended.`,
		Example: `phoenix-cli down
phoenix-cli down --purge`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.timeout <= 0 {
				return fault.Misusef("give it as 90s or 10m", "--timeout %s is no time", f.timeout)
			}
			return a.down(cmd.Context(), f)
		},
	}
	cmd.Flags().BoolVar(&f.purge, "purge", false, "remove the data too: everything in the home")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "longest `time` to wait")
	section(cmd, sectionJSON, `{"done","name"}; done is one of stopped, purged, nothing.`)
	return cmd
}

func (a *app) down(ctx context.Context, f downFlags) error {
	root, err := a.homeRoot()
	if err != nil {
		return fault.Misuse(err, "")
	}
	h, err := home.Read(root)
	if errors.Is(err, home.ErrNoHome) {
		return a.report(done{Done: "nothing"}, "Nothing runs in %s, and nothing is kept there.\n", root)
	}
	if err != nil {
		return err
	}
	lock, err := lockUp(ctx, h)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	d := &downRun{app: a, home: h, flags: f, stack: stackName(h), progress: a.progress()}
	defer d.progress.Close()
	return d.explain(ctx, d.do(ctx))
}

// downRun is one run of the down command.
type downRun struct {
	*app
	home     *home.Home
	flags    downFlags
	stack    string
	progress *progress.Reporter
}

// do removes the stack and ends the host. What runs on this machine is ended
// even when the stack could not be removed in an orderly way.
func (d *downRun) do(ctx context.Context) error {
	orderly, cancel := context.WithTimeout(ctx, d.flags.timeout)
	defer cancel()
	failed := d.removeStack(orderly)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stopping, cancel := context.WithTimeout(ctx, stopFor)
	defer cancel()
	if err := d.stopHost(stopping); err != nil {
		return errors.Join(failed, err)
	}
	d.progress.Close()
	if failed != nil {
		return failed
	}
	result := done{Done: "stopped", Name: d.stack}
	if d.flags.purge {
		result.Done = "purged"
	}
	return d.report(result, "Stack %s is down.\n", d.stack)
}

// stopFor bounds the orderly end of everything that the host runs.
const stopFor = time.Minute

// stopHost ends the host and what it runs, and removes the home when it shall
// be purged.
func (d *downRun) stopHost(ctx context.Context) error {
	d.progress.Waiting("the host's end")
	before := time.Now()
	lock, err := host.Stop(ctx, d.home, d.log())
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	d.progress.Done(time.Since(before), "nothing runs any more")
	if !d.flags.purge {
		return nil
	}
	if err := d.home.Purge(); err != nil {
		return err
	}
	d.progress.Done(0, "nothing is left of %s", d.home.Root)
	return nil
}

// removeStack has the provisioner remove what the stack owns, when there is a
// bus to ask on. Where there is none, stopping what runs is all that is left to
// do: containers of this machine are processes and folders.
func (d *downRun) removeStack(ctx context.Context) error {
	s, err := d.attachTo(ctx, d.home)
	if errors.Is(err, errNothingRuns) {
		return nil
	}
	if err != nil {
		d.progress.Note("the stack can't be asked to go (%v); what runs is stopped all the same", err)
		return nil
	}
	defer s.close()
	if f, err := s.facts(ctx); err == nil && (f.Stack.State == "" || f.Stack.State == events.StateAbsent) && !d.flags.purge {
		return nil
	}
	ack, err := s.op.Say(ctx, events.StackRequested{Stack: d.stack, Want: events.Absent, Purge: d.flags.purge})
	if err != nil {
		return err
	}
	return d.follow(ctx, s, ack)
}

// follow tells of the removal until it has ended.
func (d *downRun) follow(ctx context.Context, s *session, ack events.Ack) error {
	run := await.NewRun(d.stack, ack.Sequence, time.Now())
	var end *await.End
	d.progress.Waiting("the containers' removal")
	err := s.op.Follow(ctx, client.From{Sequence: ack.Sequence + 1}, func(m client.Message) error {
		var steps []await.Step
		steps, end = run.See(m.Event())
		for _, step := range steps {
			d.progress.Done(step.Took, "%s", step.Text)
		}
		if end != nil {
			return client.ErrStop
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case end.Failed != nil:
		return fault.Failuref("the services' logs are in "+d.home.Logs(),
			"stack %s could not be removed in an orderly way: %s", d.stack, end.Failed.Reason)
	case end.Ready != nil:
		return fault.Failuref("phoenix-cli down takes it down", "somebody brought stack %s up in the meantime", d.stack)
	}
	return nil
}

func (d *downRun) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Failuref("phoenix-cli down goes on with it", "interrupted; parts of stack %s may still run", d.stack)
	case errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{Code: fault.NotReady, Next: "phoenix-cli status tells what is left; down again goes on, with --timeout for longer",
			Err: fmt.Errorf("stack %s did not go within %s: %w", d.stack, d.flags.timeout, err)}
	}
	return err
}
