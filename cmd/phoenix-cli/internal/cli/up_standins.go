package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/standin"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

const (
	// standInID is the last octet of the stand-ins' address.
	standInID = 200
	// standInPort is the first port that they may have.
	standInPort = 10001
	// standInUnit is the name of the unit that serves them.
	standInUnit = "stand-ins"
)

// standIns gives the services their stand-ins where they shall have any: all of
// them when that was asked for, else those that have had one before.
func (u *upRun) standIns() error {
	if u.flags.standIns {
		u.want = u.want.WithStandIns(u.home.Address(standInID), standInPort)
	}
	services, at := standInServices(u.want, u.home)
	if len(services) == 0 {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	placed, definition, err := standin.Prepare(standin.Place{
		Dir: filepath.Join(u.home.Root, "stand-ins"), Address: u.home.Address(standInID), Command: []string{program, "stand-in"},
	}, services)
	if err != nil {
		return err
	}
	for i, p := range placed {
		s := &u.want.Services[at[i]]
		s.URL, s.Fingerprint = p.URL, p.Fingerprint
		s.Backend, s.CA, s.ServerName = nil, "", ""
	}
	u.standInUnit, u.standInAddresses = &definition, addressesOf(placed)
	return nil
}

// standInServices returns the services whose backend is at the stand-ins'
// address, and where in the configuration each is.
func standInServices(stack config.Stack, h *home.Home) (services []standin.Service, at []int) {
	for i, s := range stack.Services {
		r := s.Registration()
		b, err := name.ParseBackend(r.URL, r.Backend)
		if err == nil && b.Address == h.Address(standInID) {
			services = append(services, standin.Service{Name: s.Name, Scheme: b.Scheme})
			at = append(at, i)
		}
	}
	return services, at
}

// addressesOf returns the host:port of each stand-in.
func addressesOf(placed []standin.Placed) []string {
	var out []string
	for _, p := range placed {
		if u, err := url.Parse(p.URL); err == nil {
			out = append(out, net.JoinHostPort(u.Hostname(), u.Port()))
		}
	}
	return out
}

// runStandIns has the host serve the stand-ins, or no longer.
func (u *upRun) runStandIns(ctx context.Context) error {
	if u.standInUnit != nil {
		return u.bringUp(ctx, *u.standInUnit)
	}
	if err := u.session.host.Remove(ctx, standInUnit); err != nil {
		return fmt.Errorf("remove unit %s: %w", standInUnit, err)
	}
	return nil
}

// bringUp defines a unit and starts it; one that changed is restarted.
func (u *upRun) bringUp(ctx context.Context, definition unit.Unit) error {
	if _, err := u.session.host.Define(ctx, definition); err != nil {
		return fmt.Errorf("define unit %s: %w", definition.Name, err)
	}
	if err := u.session.host.Start(ctx, definition.Name); err != nil {
		return fmt.Errorf("start unit %s: %w", definition.Name, err)
	}
	return nil
}
