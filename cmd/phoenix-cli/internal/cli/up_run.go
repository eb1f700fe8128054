package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/await"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/progress"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// upRun is one run of the up command. What it finds out on the way is kept for
// the steps after it, and for the words at the end.
type upRun struct {
	*app
	progress *progress.Reporter
	flags    upFlags
	want     config.Stack

	home     *home.Home
	programs site.Programs
	// standInUnit serves stand-ins at these addresses; nil when there are none.
	standInUnit      *unit.Unit
	standInAddresses []string
	session          *session
	run              string          // of the stack; empty until it was asked for
	waits            string          // what was last waited for
	trouble          string          // what the provisioner says about that
	missing          []await.Missing // services that are not served
}

// do carries the run out.
func (u *upRun) do(ctx context.Context) error {
	release, err := u.prepare(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := u.launch(ctx); err != nil {
		return err
	}
	defer u.session.close()
	return u.drive(ctx)
}

// drive asks for the stack and sees it through. It ends early when the host
// does: nothing would come any more.
func (u *upRun) drive(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		u.session.op.Outages(ctx, func(lost bool) { u.outage(ctx, lost, cancel) })
	}()
	err := u.see(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errHostEnded) {
		err = cause
	}
	cancel(nil)
	<-watched
	return err
}

func (u *upRun) see(ctx context.Context) error {
	mark, err := u.request(ctx)
	if err != nil {
		return err
	}
	if err := u.follow(ctx, mark); err != nil {
		u.diagnose(ctx)
		return err
	}
	if err := u.serve(ctx, mark); err != nil {
		return err
	}
	if err := u.frontDoor(ctx); err != nil {
		return err
	}
	return u.result(ctx)
}

// errHostEnded says that the host ended while its stack was being brought up.
var errHostEnded = errors.New("the host has ended")

// outage looks whether a bus that does not answer will come back.
func (u *upRun) outage(ctx context.Context, lost bool, end context.CancelCauseFunc) {
	if !lost {
		u.progress.Note("the bus answers again")
		return
	}
	if _, err := u.session.host.Info(ctx); errors.Is(err, unit.ErrUnavailable) {
		end(fault.Failure(errHostEnded, "its log is "+u.home.HostLog()+"; phoenix-cli up starts it again and goes on"))
		return
	}
	u.progress.Note("the bus does not answer; waiting for it")
}

// request puts the configuration on the bus and asks for the stack.
func (u *upRun) request(ctx context.Context) (client.Mark, error) {
	mark, err := u.session.op.Mark(ctx)
	if err != nil {
		return client.Mark{}, err
	}
	raw, err := json.Marshal(u.want)
	if err != nil {
		return client.Mark{}, fmt.Errorf("render the configuration: %w", err)
	}
	if err := u.session.op.SaveConfig(ctx, u.want.Stack, raw); err != nil {
		return client.Mark{}, err
	}
	ack, err := u.session.op.Say(ctx, events.StackRequested{Stack: u.want.Stack, Want: events.Present})
	if err != nil {
		return client.Mark{}, err
	}
	u.run = events.RunID(u.want.Stack, ack.Sequence)
	return client.Mark{Events: ack.Sequence, DeadLetters: mark.DeadLetters}, nil
}

// follow tells of the run's steps until it has ended.
func (u *upRun) follow(ctx context.Context, mark client.Mark) error {
	run := await.NewRun(u.want.Stack, mark.Events, time.Now())
	var end *await.End
	u.waiting(run.Waiting())
	err := u.session.op.Follow(ctx, client.From{Sequence: mark.Events + 1}, func(m client.Message) error {
		var steps []await.Step
		steps, end = run.See(m.Event())
		for _, s := range steps {
			if s.Bad {
				u.progress.Failed("%s", s.Text)
				continue
			}
			u.progress.Done(s.Took, "%s", s.Text)
		}
		if end != nil {
			return client.ErrStop
		}
		u.waiting(run.Waiting())
		return nil
	})
	if err != nil {
		return err
	}
	return u.ended(*end)
}

func (u *upRun) ended(end await.End) error {
	switch {
	case end.Failed != nil:
		return fault.Failuref("phoenix-cli watch --since 10m --no-follow shows what happened; the services' logs are in "+u.home.Logs(),
			"stack %s failed at %s: %s%s", u.want.Stack, end.Failed.Step, end.Failed.Reason, undone(end.Failed.Undone))
	case end.Removed != nil:
		return fault.Failuref("phoenix-cli up brings it up again", "stack %s was taken down in the meantime", u.want.Stack)
	}
	u.progress.Done(0, "stack %s is ready", u.want.Stack)
	return nil
}

func undone(what []string) string {
	if len(what) == 0 {
		return ""
	}
	return fmt.Sprintf(" (undone: %v)", what)
}

// serve waits until every configured service is served.
func (u *upRun) serve(ctx context.Context, mark client.Mark) error {
	wishes, err := u.wishes()
	if err != nil || len(wishes) == 0 {
		return err
	}
	before, served := time.Now(), len(wishes)
	w := await.Waiter{Op: u.session.op, Facts: u.session.facts, Since: mark, Tell: func(missing []await.Missing) {
		u.missing = missing
		if len(missing) > 0 {
			u.waiting(fmt.Sprintf("services, %d of %d served; %s: %s", served-len(missing), served, missing[0].Name, missing[0].Reason))
		}
	}}
	u.missing, err = w.Served(ctx, wishes)
	if err != nil {
		return err
	}
	if served -= len(u.missing); served > 0 {
		u.progress.Done(time.Since(before), "%d of %d services are served", served, len(wishes))
	}
	return u.refused()
}

// refused reports the services that the stack refuses to serve.
func (u *upRun) refused() error {
	var errs []error
	for _, m := range u.missing {
		errs = append(errs, fmt.Errorf("service %s was refused: %s", m.Name, m.Reason))
	}
	return fault.Failure(errors.Join(errs...), "the stack and all other services are up; phoenix-cli deadletters list has the messages")
}

// wishes lists the configured services as they shall be seen.
func (u *upRun) wishes() ([]await.Wish, error) {
	out := make([]await.Wish, 0, len(u.want.Services))
	for _, s := range u.want.Services {
		r := s.Registration()
		backend, err := name.ParseBackend(r.URL, r.Backend)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", s.Name, err)
		}
		out = append(out, await.Wish{
			Name: s.Name, Hosts: s.HostsIn(u.want.Domain), Backend: backend, Issuer: s.Issuer, Owner: events.Provisioner,
		})
	}
	return out, nil
}

// frontDoor asks the stack itself, as a client that trusts its root alone.
func (u *upRun) frontDoor(ctx context.Context) error {
	f, err := u.session.facts(ctx)
	if err != nil {
		return err
	}
	gateway := gatewayAddress(f)
	if f.Stack.Address == "" || gateway == "" || f.CA.Root == "" {
		return fmt.Errorf("stack %s says that it is ready, but not where it answers", u.want.Stack)
	}
	u.waiting("the front door, " + f.Stack.Address)
	before := time.Now()
	if err := await.FrontDoor(ctx, f.Stack.Address, gateway, f.CA.Root); err != nil {
		return err
	}
	u.progress.Done(time.Since(before), "%s answers over verified HTTPS", f.Stack.Address)
	return nil
}

// result reports the stack as it is now.
func (u *upRun) result(ctx context.Context) error {
	f, err := u.session.facts(ctx)
	if err != nil {
		return err
	}
	took := u.progress.Elapsed()
	u.progress.Close()
	s := view.NewStatus(u.want.Stack, f)
	return u.write(s, func(w io.Writer, style view.Style) error {
		if err := s.Text(w, style, f); err != nil {
			return err
		}
		return u.howToOpen(w, style, s, f, took)
	})
}

// explain turns the end of a time or an interruption into what a person needs
// to know.
func (u *upRun) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, fault.Code(err) != fault.Failed && len(fault.Hints(err)) > 0:
		return err
	case ctx.Err() != nil && u.run == "":
		return fault.Failuref("phoenix-cli up begins again where it was", "interrupted before the stack was asked for")
	case ctx.Err() != nil:
		u.progress.Close()
		return fault.Failuref("phoenix-cli status tells how it goes on, phoenix-cli watch shows it", "interrupted; run %s goes on", u.run)
	case errors.Is(err, context.DeadlineExceeded):
		return u.late(err)
	case errors.Is(err, unit.ErrUnavailable) && !errors.Is(err, errHostEnded) && u.home != nil:
		return fault.Failure(fmt.Errorf("%w: %w", errHostEnded, err), "its log is "+u.home.HostLog()+"; phoenix-cli up starts it again and goes on")
	}
	return err
}

// late tells what was missing when the time was over.
func (u *upRun) late(err error) error {
	timeout := u.flags.timeoutFor(u.want)
	if u.run == "" {
		return fault.Latef(u.next(), "the stack could not be asked for within %s: %w", timeout, err)
	}
	var missing []error
	for _, m := range u.missing {
		missing = append(missing, fmt.Errorf("service %s: %s", m.Name, m.Reason))
	}
	switch {
	case len(missing) > 0:
	case u.trouble != "":
		missing = append(missing, fmt.Errorf("waiting for %s: %s", u.waits, u.trouble))
	case err.Error() == context.DeadlineExceeded.Error():
		missing = append(missing, fmt.Errorf("waiting for %s", u.waits))
	default:
		missing = append(missing, fmt.Errorf("waiting for %s: %w", u.waits, err))
	}
	const hint = "it goes on: phoenix-cli status, phoenix-cli watch; up again waits again, with --timeout for longer"
	return &fault.Error{Code: fault.NotReady, Next: hint, Err: errors.Join(append(
		[]error{fmt.Errorf("run %s is not ready after %s", u.run, timeout)}, missing...)...)}
}

// next is what to do when there was no bus in time.
func (u *upRun) next() string {
	if u.want.Bus.URL != "" && u.home != nil {
		return "run a nats-server at " + u.want.Bus.URL + " with the configuration " + site.BusFolder(u.home).Config() + "; phoenix-cli up then goes on"
	}
	return "phoenix-cli up goes on where it was"
}

// diagnoseFor bounds the question what keeps a run from being ready.
const diagnoseFor = 2 * time.Second

// diagnose asks what the provisioner says about a run that is late.
func (u *upRun) diagnose(ctx context.Context) {
	if ctx.Err() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), diagnoseFor)
	defer cancel()
	if f, err := u.session.facts(ctx); err == nil && f.Stack.Step != "" {
		u.trouble = "step " + f.Stack.Step
		if f.Stack.Reason != "" {
			u.trouble += ", " + f.Stack.Reason
		}
	}
}

// waiting says what is waited for, and remembers it.
func (u *upRun) waiting(what string) {
	u.waits = what
	u.progress.Waiting("%s", what)
}
