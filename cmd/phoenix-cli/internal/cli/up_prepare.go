package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
)

// prepare checks everything that can be checked before anything is touched, and
// takes the lock that keeps a second up away. release gives it back.
func (u *upRun) prepare(ctx context.Context) (release func(), err error) {
	root, err := u.homeRoot()
	if err != nil {
		return nil, fault.Misuse(err, "")
	}
	u.waiting("the checks of this machine")
	u.home, err = home.Open(root, u.want.Addresses)
	if err != nil {
		return nil, explainHome(err)
	}
	lock, err := lockUp(ctx, u.home)
	if err != nil {
		return nil, err
	}
	release = func() { _ = lock.Release() }
	if err := errors.Join(u.standIns(), u.check(ctx)); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// check looks at programs, ports and clock, and names all that is wrong at once.
func (u *upRun) check(ctx context.Context) error {
	var programs error
	u.programs, programs = site.FindPrograms(ctx, u.want, u.Getenv)
	ports := u.home.CheckPorts(ctx, append(site.Addresses(u.home, u.want), u.standInAddresses...))
	return errors.Join(programs, explainPorts(ports), checkCA(u.home, u.want, time.Now()))
}

// lockUp keeps a second up, or a down, of the same home away.
func lockUp(ctx context.Context, h *home.Home) (*home.Lock, error) {
	now, cancel := context.WithCancel(ctx)
	cancel() // try once
	lock, err := h.Lock(now, home.UpLock)
	if _, ok := errors.AsType[*home.LockedError](err); ok {
		return nil, fault.Failure(fmt.Errorf("another command is changing this stack: %w", err),
			"wait for it, or watch what it does: phoenix-cli watch")
	}
	return lock, err
}

// explainHome gives the errors of a home their exit code: a block of addresses
// that the home does not have is wrong configuration.
func explainHome(err error) error {
	if _, ok := errors.AsType[*home.AddressesError](err); ok {
		return fault.Misuse(err, "")
	}
	return err
}
