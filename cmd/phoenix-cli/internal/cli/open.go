package cli

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// howToOpen tells what to do with a stack that is up.
func howToOpen(w io.Writer, style view.Style, s view.Status, took time.Duration) error {
	first := s.Address
	for _, v := range s.Services {
		if v.State == events.StateReady {
			first = v.URL
			break
		}
	}
	_, err := fmt.Fprintf(w, `
%s in %s. Open it:
  curl --cacert <(phoenix-cli trust) %s
  phoenix-cli trust --install          this machine trusts the stack
  eval "$(phoenix-cli env)"            plain nats, step and curl work
  phoenix-cli expose NAME URL          one more service
`, style.Good("Up"), view.Duration(took), first)
	return err
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
