package cli

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// howToOpen tells what to do with a stack that is up.
func howToOpen(w io.Writer, style view.Style, s view.Status, f view.Facts, took time.Duration) error {
	first := s.Address
	for _, v := range s.Services {
		if v.State == events.StateReady {
			first = v.URL
			break
		}
	}
	_, err := fmt.Fprintf(w, `
%s in %s. Open it:
  curl --cacert <(phoenix-cli trust)%s %s
  phoenix-cli trust --install          this machine trusts the stack
  eval "$(phoenix-cli env)"            plain nats, step and curl work
  phoenix-cli expose NAME URL          one more service
`, style.Good("Up"), view.Duration(took), connectTo(f), first)
	return err
}

// connectTo is what curl must be told where names of the stack do not lead to
// its gateway by themselves: below localhost they lead to 127.0.0.1, which the
// gateway of the default block of addresses serves, and that one alone.
func connectTo(f view.Facts) string {
	address := gatewayAddress(f)
	resolves := strings.HasSuffix(f.Stack.Domain, ".localhost") && strings.HasPrefix(address, home.DefaultAddresses+".")
	if address == "" || resolves {
		return ""
	}
	return " --connect-to ::" + address
}

// gatewayAddress is where the gateway's container serves HTTPS; empty when that
// is not known.
func gatewayAddress(f view.Facts) string {
	for _, c := range f.Containers {
		if port := c.Ports["https"]; c.Role == events.RoleGateway && port != 0 {
			return net.JoinHostPort(c.Address, strconv.Itoa(port))
		}
	}
	return ""
}
