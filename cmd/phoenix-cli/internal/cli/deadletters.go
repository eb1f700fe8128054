package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

func newDeadLetters(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "deadletters",
		GroupID: groupBus,
		Short:   "list, show, replay and drop messages that a service gave up",
		Long: `A message that no retry can mend, such as broken JSON or a host that belongs to
somebody else, becomes a dead letter: the service that gave it up says why, and
goes on. What can't be done yet is no dead letter; it is tried again.

A dead letter stays until it is dropped. The message itself stays in the stream
of events: replaying has the same service read it there again.`,
		Args: takesCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDeadLettersList(a), newDeadLettersShow(a), newDeadLettersReplay(a), newDeadLettersDrop(a))
	return cmd
}

func newDeadLettersList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list the dead letters, the newest last",
		Example: `phoenix-cli deadletters list -o json | jq -r '.[].reason'`,
		Args:    takes(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.deadLettersList(cmd.Context()) },
	}
	section(cmd, sectionJSON, `A list; its schema is docs/cli/deadletters-list.schema.json:
[{"id","subject","consumer","reason","deliveries","time"}]`)
	return cmd
}

func newDeadLettersShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		Short:             "show a dead letter and its message",
		Args:              takes("ID"),
		ValidArgsFunction: a.complete(1, deadLetterIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.deadLettersShow(cmd.Context(), args[0]) },
	}
}

func newDeadLettersReplay(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "replay ID",
		Short: "have the service read the message again",
		Long: `Asks the service that gave the message up to read it again, where it is stored,
and drops the dead letter. When the service gives the message up once more there
is a new dead letter.`,
		Args:              takes("ID"),
		ValidArgsFunction: a.complete(1, deadLetterIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.deadLettersReplay(cmd.Context(), args[0]) },
	}
}

func newDeadLettersDrop(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "drop ID...",
		Short:             "forget dead letters",
		Args:              takesSome("ID"),
		ValidArgsFunction: a.complete(0, deadLetterIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.deadLettersDrop(cmd.Context(), args) },
	}
}

func (a *app) deadLettersList(ctx context.Context) error {
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	stored, err := s.op.DeadLetters(ctx)
	if err != nil {
		return err
	}
	letters := make([]events.DeadLetter, 0, len(stored))
	for _, l := range stored {
		letters = append(letters, l.DeadLetter)
	}
	list := view.DeadLetters(letters)
	return a.write(list, func(w io.Writer, style view.Style) error {
		return view.DeadLettersText(w, style, time.Now(), list)
	})
}

func (a *app) deadLettersShow(ctx context.Context, id string) error {
	s, letters, err := a.deadLetters(ctx, id)
	if err != nil {
		return err
	}
	defer s.close()
	l := letters[0].DeadLetter
	header, payload, err := s.op.Original(ctx, l)
	if err != nil && !errors.Is(err, events.ErrNotFound) {
		return err
	}
	d := view.NewDeadLetterDetail(l, header, payload)
	d.Missing = err != nil
	return a.write(d, d.Text)
}

func (a *app) deadLettersReplay(ctx context.Context, id string) error {
	s, letters, err := a.deadLetters(ctx, id)
	if err != nil {
		return err
	}
	defer s.close()
	l := letters[0]
	if err := s.op.Replay(ctx, l.DeadLetter); err != nil {
		return err
	}
	if err := s.op.Drop(ctx, l); err != nil {
		return err
	}
	return a.report(done{Done: "replayed", IDs: []string{l.ID}}, "%s reads message %d again\n", l.Consumer, l.Sequence)
}

func (a *app) deadLettersDrop(ctx context.Context, ids []string) error {
	s, letters, err := a.deadLetters(ctx, ids...)
	if err != nil {
		return err
	}
	defer s.close()
	for _, l := range letters {
		if err := s.op.Drop(ctx, l); err != nil {
			return err
		}
	}
	return a.report(done{Done: "dropped", IDs: ids}, "%d dropped\n", len(letters))
}

// deadLetters returns a session and the dead letters with these ids, all of
// them or an error.
func (a *app) deadLetters(ctx context.Context, ids ...string) (*session, []events.StoredDeadLetter, error) {
	s, err := a.attach(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.op.DeadLetters(ctx)
	if err == nil {
		var found []events.StoredDeadLetter
		if found, err = pick(all, ids); err == nil {
			return s, found, nil
		}
	}
	s.close()
	return nil, nil, err
}

// pick returns the newest dead letter of each id.
func pick(all []events.StoredDeadLetter, ids []string) ([]events.StoredDeadLetter, error) {
	byID := map[string]events.StoredDeadLetter{}
	known := make([]string, 0, len(all))
	for _, l := range all {
		byID[l.ID] = l
		known = append(known, l.ID)
	}
	var out []events.StoredDeadLetter
	var errs []error
	for _, id := range ids {
		l, ok := byID[id]
		if ok {
			out = append(out, l)
			continue
		}
		hint := "phoenix-cli deadletters list shows the ids"
		if near := nearest.Of(id, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		errs = append(errs, fault.Failuref(hint, "no dead letter has the id %q", id))
	}
	return out, errors.Join(errs...)
}

// done is the result of a command that only does something.
type done struct {
	Done string   `json:"done"`
	IDs  []string `json:"ids,omitempty"`
	Name string   `json:"name,omitempty"`
}

// report writes what was done: v as JSON, or the sentence.
func (a *app) report(v any, format string, args ...any) error {
	return a.write(v, func(w io.Writer, _ view.Style) error {
		_, err := fmt.Fprintf(w, format, args...)
		return err
	})
}
