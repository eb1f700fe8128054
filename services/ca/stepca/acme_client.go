package stepca

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/smallstep/certificates/acme"
)

// challengeTimeout bounds the look at one challenge.
const challengeTimeout = 10 * time.Second

// challengeClient is what step-ca validates ACME challenges with. It implements
// acme.Client. Nothing in it asks a DNS server.
type challengeClient struct {
	ctx     context.Context //nolint:containedctx // step-ca's interface has none; this one ends with the CA
	network Network
}

// TLSDial implements acme.Client. The address holds the host to validate; the
// connection goes to where the network says that it is answered.
func (c challengeClient) TLSDial(network, addr string, config *tls.Config) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, challengeTimeout)
	defer cancel()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("validate %s: %w", addr, err)
	}
	endpoint, err := c.network.Endpoint(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("validate %s: %w", host, err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, endpoint)
	if err != nil {
		return nil, fmt.Errorf("validate %s: %w", host, err)
	}
	out := tls.Client(conn, config)
	if err := out.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("validate %s at %s: %w", host, endpoint, err), conn.Close())
	}
	return out, nil
}

// LookupTxt implements acme.Client.
func (c challengeClient) LookupTxt(name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(c.ctx, challengeTimeout)
	defer cancel()
	return c.network.TXT(ctx, name)
}

// Get implements acme.Client. Only http-01 needs it, which is off: it would
// fetch whatever a stranger's order names.
func (challengeClient) Get(string) (*http.Response, error) {
	return nil, errors.New("http-01 is off: use tls-alpn-01 or dns-01")
}

var _ acme.Client = challengeClient{}
