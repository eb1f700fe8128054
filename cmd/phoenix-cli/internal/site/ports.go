package site

import (
	"net"
	"strconv"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/config"
)

// loopback is the machine's own address, which the gateway of the home with the
// default block serves on too.
const loopback = "127.0.0.1"

// Addresses lists every host:port that the stack listens on.
func Addresses(h *home.Home, stack config.Stack) []string {
	var out []string
	at := func(host string, ports ...int) {
		for _, p := range ports {
			out = append(out, net.JoinHostPort(host, strconv.Itoa(p)))
		}
	}
	if stack.Bus.URL == "" {
		at(h.Address(busID), busPort)
	}
	at(h.Address(busID), portHealth)
	at(h.Address(101), 8443, 8080, portHealth)
	at(h.Address(102), 8443, 9091, portHealth)
	at(h.Address(103), 9000, portHealth)
	if h.DefaultBlock() {
		at(loopback, 8443, 8080)
	}
	return out
}
