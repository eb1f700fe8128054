package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// lookFor bounds one handshake with Traefik.
const lookFor = 3 * time.Second

// Seen is what a handshake showed.
type Seen struct {
	Serial   string
	NotAfter time.Time
}

// look does a handshake for a host, verified against the root as every client
// does, and tells which certificate was shown.
func look(ctx context.Context, address, host string, roots *x509.CertPool) (Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	d := tls.Dialer{
		NetDialer: &net.Dialer{},
		Config:    &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return Seen{}, fmt.Errorf("handshake with Traefik for %s: %w", host, err)
	}
	defer func() { _ = conn.Close() }()
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return Seen{}, errors.New("handshake with Traefik: not a TLS connection")
	}
	leaf := secured.ConnectionState().PeerCertificates[0]
	return Seen{Serial: seal.Serial(leaf.SerialNumber), NotAfter: leaf.NotAfter.UTC()}, nil
}
