package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// connectFor bounds the way to a bus that its host says is there.
const connectFor = 15 * time.Second

// errNothingRuns says that no stack runs in a home.
var errNothingRuns = errors.New("no stack runs")

// errBusStarts says that a home's host is still starting its bus.
var errBusStarts = errors.New("the host has not started its bus yet")

// session is a running stack: its home, its host and its bus.
type session struct {
	home *home.Home
	host *unit.Client
	info unit.Info
	op   *client.Operator
	// stack is the name of the home's stack.
	stack string
}

// close ends the connection.
func (s *session) close() { s.op.Close() }

// attach connects to the stack that runs in the home; errNothingRuns when there
// is none.
func (a *app) attach(ctx context.Context) (*session, error) {
	root, err := a.homeRoot()
	if err != nil {
		return nil, fault.Misuse(err, "")
	}
	h, err := home.Read(root)
	if errors.Is(err, home.ErrNoHome) {
		return nil, nothingRuns(root)
	}
	if err != nil {
		return nil, err
	}
	return a.attachTo(ctx, h)
}

func (a *app) attachTo(ctx context.Context, h *home.Home) (*session, error) {
	host, err := unit.Dial("unix:" + h.Socket())
	if err != nil {
		return nil, err
	}
	info, err := host.Info(ctx)
	switch {
	case errors.Is(err, unit.ErrUnavailable):
		return nil, nothingRuns(h.Root)
	case err != nil:
		return nil, err
	case info.Bus == "":
		return nil, &fault.Error{Code: fault.NotReady, Next: "try again in a moment; the host's log is " + h.HostLog(),
			Err: fmt.Errorf("%w in %s", errBusStarts, h.Root)}
	}
	connecting, cancel := context.WithTimeout(ctx, connectFor)
	defer cancel()
	op, err := client.Connect(connecting, info.Bus, site.BusFolder(h), a.log())
	if err != nil {
		return nil, fault.Failure(err, "the host's log is "+h.HostLog())
	}
	return &session{home: h, host: host, info: info, op: op, stack: stackName(h)}, nil
}

func nothingRuns(root string) error {
	return fault.Failure(fmt.Errorf("%w in %s", errNothingRuns, root),
		"bring it up: phoenix-cli up; or choose another home: --home, PHOENIX_HOME")
}

// facts reads everything that is known of the stack, of its host too.
func (s *session) facts(ctx context.Context) (view.Facts, error) {
	f, err := s.op.Facts(ctx, s.stack)
	if err != nil {
		return view.Facts{}, err
	}
	if units, err := s.host.List(ctx); err == nil {
		f.Alive, f.Units = true, units
	}
	return f, nil
}
