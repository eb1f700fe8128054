package nginx_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

func TestHandshakeShowsTheHostsOwnPair(t *testing.T) {
	f := startFront(t)
	for _, host := range []string{"a." + domain, "deep.below.b." + domain, "gateway." + domain} {
		pair := f.ca.Pair(t, host)
		place(t, f.pairs, pair)
		for _, addr := range f.config.HTTPS {
			served, err := nginx.Probe(t.Context(), addr, host, f.ca.Roots())
			if err != nil || served.Serial != pair.Serial || !served.NotAfter.Equal(pair.NotAfter) {
				t.Errorf("%s at %s: got %+v, %v, want %s until %s", host, addr, served, err, pair.Serial, pair.NotAfter)
			}
		}
	}
}

// serverName makes a handshake with exactly that SNI; Go itself would not send
// some of them.
func (f *front) serverName(t *testing.T, sni string) error {
	t.Helper()
	conn, err := f.dialer(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return tls.Client(sniConn{Conn: conn, sni: sni}, &tls.Config{
		ServerName: placeholder(len(sni)), InsecureSkipVerify: true, //nolint:gosec // no handshake may succeed at all
	}).HandshakeContext(t.Context())
}

// placeholder is a name of n bytes that Go sends as it is.
func placeholder(n int) string { return strings.Repeat("x", n) }

// sniConn puts another name of the same length into the client's hello.
type sniConn struct {
	net.Conn
	sni string
}

func (c sniConn) Write(b []byte) (int, error) {
	hello := strings.Replace(string(b), placeholder(len(c.sni)), c.sni, 1)
	return c.Conn.Write([]byte(hello))
}

func TestUnknownNamesGetNoHandshake(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	// A forged hello never ends well, but for a known host it is the client that
	// notices: the server went on.
	if err := f.serverName(t, host); err == nil || refused(err) {
		t.Fatalf("SNI of a known host: got %v, want the server to go on", err)
	}
	for _, sni := range []string{
		"b." + domain, domain, "x." + domain, "proxy.example.com", "_none", "_none." + domain,
		"../even/" + host, "../odd/" + host, "../../nginx.conf", "./" + host, "/" + host, "..", ".." + domain, "a.." + domain,
		"A." + domain, "a." + strings.ToUpper(domain), "a." + domain + ".", "." + domain, "-a." + domain,
		"a\n." + domain, "a." + domain + "\n", "a\x00." + domain, "a%2e" + domain, "$host." + domain, "a;b." + domain,
		strings.Repeat("a", 64) + "." + domain, strings.Repeat("a.", 150) + domain, strings.Repeat("a", 4000) + "." + domain,
	} {
		if err := f.serverName(t, sni); !refused(err) {
			t.Errorf("SNI %.80q: got %v, want the server to refuse", sni, err)
		}
	}
	if _, err := f.handshake(t, &tls.Config{InsecureSkipVerify: true}); err == nil { //nolint:gosec // as above
		t.Error("without SNI: got a handshake")
	}
	if _, err := f.probe(t, host); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// refused says whether it was the server that ended the handshake.
func refused(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "remote error") || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET))
}

func TestOldTLSIsRefused(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for version, want := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		_, err := f.handshake(t, &tls.Config{ServerName: host, RootCAs: f.ca.Roots(), MinVersion: version, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("%s: got %v, want a handshake: %t", tls.VersionName(version), err, want)
		}
	}
}

func TestSessionsAreResumed(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{
			ServerName: host, RootCAs: f.ca.Roots(), MinVersion: tls.VersionTLS12, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		}
		if f.handshakeAndAsk(t, config, host).DidResume {
			t.Errorf("%s: first handshake resumed", tls.VersionName(version))
		}
		if !f.handshakeAndAsk(t, config, host).DidResume {
			t.Errorf("%s: second handshake did not resume", tls.VersionName(version))
		}
	}
}

// handshakeAndAsk connects and reads one answer, and with it the ticket.
func (f *front) handshakeAndAsk(t *testing.T, config *tls.Config, host string) tls.ConnectionState {
	t.Helper()
	conn, err := f.handshake(t, config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("HEAD / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	return conn.ConnectionState()
}

func TestProbeVerifies(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	if _, err := nginx.Probe(t.Context(), f.config.HTTPS[0], host, nginxtest.NewCA(t).Roots()); err == nil {
		t.Error("with another root: got no error")
	}
	if _, err := nginx.Probe(t.Context(), f.config.HTTPS[0], host, x509.NewCertPool()); err == nil {
		t.Error("without a root: got no error")
	}
	if _, err := nginx.Probe(t.Context(), f.config.HTTPS[0], "b."+domain, f.ca.Roots()); err == nil {
		t.Error("with another host: got no error")
	}
	if _, err := nginx.Probe(t.Context(), netip.MustParseAddrPort("127.15.1.1:1"), host, f.ca.Roots()); err == nil {
		t.Error("with nobody there: got no error")
	}
}
