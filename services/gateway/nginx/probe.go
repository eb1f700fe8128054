package nginx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// Served is what a handshake showed.
type Served struct {
	Serial   string
	NotAfter time.Time
}

// Probe makes a whole TLS handshake for host with the server at addr, as a
// client that trusts roots alone would. Its errors read the same for the same
// trouble.
func Probe(ctx context.Context, addr netip.AddrPort, host string, roots *x509.CertPool) (Served, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12}}
	conn, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return Served{}, fmt.Errorf("handshake with %s for %s: %w", addr, host, plain(err))
	}
	defer func() { _ = conn.Close() }()
	shown, ok := conn.(*tls.Conn)
	if !ok {
		return Served{}, fmt.Errorf("handshake with %s for %s: it is no TLS", addr, host)
	}
	leaf := shown.ConnectionState().PeerCertificates[0]
	return Served{Serial: seal.Serial(leaf.SerialNumber), NotAfter: leaf.NotAfter.UTC()}, nil
}

// plain takes the client's address out of a network error: the same trouble
// reads the same each time.
func plain(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}
