package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

// watchFlags say which events to show, and how.
type watchFlags struct {
	since    time.Duration
	noFollow bool
	raw      bool
}

func newWatch(a *app) *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:     "watch [flags]",
		GroupID: groupBus,
		Short:   "show events as they come",
		Long: `Shows what is said on the bus, one line for each event: when, on which subject,
by whom (the bus itself attests it), and what it is about. It begins with the
next event, or with those since a while ago, and ends with Ctrl-C.

Messages that somebody publishes with the operator's identity on a subject that
nearly matches one of ours are named too: nobody hears them, and the bus does
not keep them.`,
		Example: `phoenix-cli watch
phoenix-cli watch --since 10m --no-follow
phoenix-cli watch -o json | jq 'select(.subject == "cert.issued")'`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.since < 0 {
				return fault.Misusef("give it as 90s, 10m or 24h", "--since %s lies in the future", f.since)
			}
			return a.watch(cmd.Context(), f)
		},
	}
	cmd.Flags().DurationVar(&f.since, "since", 0, "begin with the events of this last `duration`")
	cmd.Flags().BoolVar(&f.noFollow, "no-follow", false, "end with the newest event; without --since, show all")
	cmd.Flags().BoolVar(&f.raw, "raw", false, "show messages as they are stored, headers included")
	section(cmd, sectionJSON, `One object on each line; its schema is docs/cli/watch.schema.json:
{"sequence","time","subject","speaker","id","source","data"}`)
	return cmd
}

func (a *app) watch(ctx context.Context, f watchFlags) error {
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	w := &watcher{app: a, raw: f.raw, style: a.style(a.Stdout)}
	if f.noFollow {
		return s.op.Stored(ctx, client.From{Time: w.begin(f.since)}, w.show)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return s.op.Follow(ctx, client.From{Time: w.begin(f.since), New: f.since == 0}, w.show)
	})
	g.Go(func() error { return s.op.NearMisses(ctx, w.nearMiss) })
	g.Go(func() error {
		s.op.Outages(ctx, w.outage)
		return nil
	})
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil // Ctrl-C is how it ends
}

// watcher writes what it is shown, one thing at a time.
type watcher struct {
	app   *app
	raw   bool
	style view.Style
	mu    sync.Mutex
}

func (w *watcher) begin(since time.Duration) time.Time {
	if since == 0 {
		return time.Time{}
	}
	return time.Now().Add(-since)
}

func (w *watcher) show(m client.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.raw && w.app.flags.output != outputJSON:
		return view.RawText(w.app.Stdout, w.style, view.RawEvent{
			Sequence: m.Sequence, Subject: m.Subject, Header: m.Header, Data: m.Data,
		})
	case w.app.flags.output == outputJSON:
		return view.WriteLine(w.app.Stdout, m.Event())
	}
	return view.EventText(w.app.Stdout, w.style, time.Now(), m.Event())
}

// outage tells that nothing can be seen for now, and again.
func (w *watcher) outage(lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := "the bus answers again"
	if lost {
		text = "the bus does not answer; waiting for it"
	}
	_, _ = fmt.Fprintln(w.app.Stderr, w.app.style(w.app.Stderr).Busy(text))
}

// nearMiss goes to standard error: it is no event, and scripts read those.
func (w *watcher) nearMiss(m client.NearMiss) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	_ = view.NearMiss(w.app.Stderr, w.app.style(w.app.Stderr), now, now, m.Subject, m.Meant)
}
