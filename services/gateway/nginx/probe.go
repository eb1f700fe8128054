package nginx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
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
// client that trusts roots alone would.
func Probe(ctx context.Context, addr netip.AddrPort, host string, roots *x509.CertPool) (Served, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12}}
	conn, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return Served{}, fmt.Errorf("handshake with %s for %s: %w", addr, host, err)
	}
	defer func() { _ = conn.Close() }()
	leaf := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
	return Served{Serial: seal.Serial(leaf.SerialNumber), NotAfter: leaf.NotAfter.UTC()}, nil
}
