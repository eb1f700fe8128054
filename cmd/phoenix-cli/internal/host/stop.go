package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// Stop ends the host of the home and everything it keeps, and also what a host
// that was killed left running. It returns the host's lock, so that none starts
// while the caller removes what is left.
func Stop(ctx context.Context, h *home.Home, log *slog.Logger) (*home.Lock, error) {
	client, err := unit.Dial("unix:" + h.Socket())
	if err != nil {
		return nil, fmt.Errorf("stop host: %w", err)
	}
	asked := client.Shutdown(ctx)
	if asked != nil && !errors.Is(asked, unit.ErrUnavailable) {
		return nil, fmt.Errorf("stop host: %w", asked)
	}
	lock, err := h.Lock(ctx, home.HostLock)
	if err != nil {
		return nil, fmt.Errorf("stop host: %w", err)
	}
	if err := endLeft(ctx, h, log); err != nil {
		return nil, errors.Join(fmt.Errorf("stop what the host left: %w", err), lock.Release())
	}
	return lock, nil
}

// endLeft ends the units that run without a host. The caller holds its lock.
func endLeft(ctx context.Context, h *home.Home, log *slog.Logger) error {
	m, err := newMachine(h, func(string) string { return "" }, log)
	if err != nil {
		return err
	}
	s := newSupervisor(m)
	defer s.close()
	if err := s.restore(ctx, false); err != nil {
		return err
	}
	return s.shutdown(ctx)
}
