package nginxtest

import (
	"net"
	"net/netip"
	"testing"
)

// Free returns an address at ip with a port that nobody listens on.
func Free(tb testing.TB, ip string) netip.AddrPort {
	tb.Helper()
	var config net.ListenConfig
	l, err := config.Listen(tb.Context(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return netip.MustParseAddrPort(l.Addr().String())
}
