package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/pkg/version"
)

// launch makes sure that the home has a host with a bus and a provisioner, and
// connects to it.
func (u *upRun) launch(ctx context.Context) error {
	if err := storeConfig(u.home, u.want); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	u.waiting("the host and its bus")
	before := time.Now()
	info, err := host.Launch(ctx, u.home, host.Command{Args: []string{program, "host", "--home", u.home.Root}, Env: u.Environ()})
	if err != nil {
		return fault.Failure(err, "its log is "+u.home.HostLog())
	}
	if info.Started.After(before.Add(-time.Second)) {
		u.progress.Done(time.Since(before), "host runs with process id %d, bus answers at %s", info.PID, info.Bus)
	}
	u.warn(info)
	if u.session, err = u.attachTo(ctx, u.home); err != nil {
		return err
	}
	if err := u.units(ctx); err != nil {
		u.session.close()
		return err
	}
	return nil
}

// warn tells what a host says about itself that somebody should know.
func (u *upRun) warn(info unit.Info) {
	if mine := version.String(); info.Version != mine {
		u.progress.Note("the host of this home is of version %s, this program of %s: phoenix-cli down and up replaces it", info.Version, mine)
	}
	for _, w := range info.Warnings {
		u.progress.Note("the host warns: %s", w)
	}
}

// units brings the units that are the command's own to their present
// definitions; one that changed is restarted.
func (u *upRun) units(ctx context.Context) error {
	provisioner, err := site.Provisioner(u.home, u.want, u.programs, u.Environ())
	if err != nil {
		return err
	}
	if err := u.bringUp(ctx, provisioner); err != nil {
		return err
	}
	return u.runStandIns(ctx)
}
