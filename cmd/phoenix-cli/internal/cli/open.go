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
func (a *app) howToOpen(w io.Writer, style view.Style, s view.Status, f view.Facts, took time.Duration) error {
	first := s.Address
	for _, v := range s.Services {
		if v.State == events.StateReady {
			first = v.URL
			break
		}
	}
	_, err := fmt.Fprintf(w, `
%[1]s in %[2]s. Open it:
  curl --cacert <(%[3]s trust)%[4]s %[5]s
Trust it on this machine:            %[3]s trust --install
Have plain nats, step, curl work:    eval "$(%[3]s env)"
Serve one more service:              %[3]s expose NAME URL
`, style.Good("Up"), view.Duration(took), a.called(), connectTo(f), first)
	return err
}

// called is how people call this program: as they did, when that was by a path.
func (a *app) called() string {
	if strings.Contains(a.Program, "/") {
		return a.Program
	}
	return program
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
