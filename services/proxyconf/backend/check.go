package backend

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
)

// checkFor bounds one check.
const checkFor = 5 * time.Second

// Checker asks backends.
type Checker struct {
	Policy name.Policy
}

// Check asks the resolver and, for https, the backend itself, and returns what
// was found. former is what was known: it stays in force as far as nothing
// better is found, but for addresses that are not allowed.
func (c Checker) Check(ctx context.Context, s registry.Service, root string, former Route) Route {
	ctx, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	r := former
	r.Pending, r.Reason = false, ""
	addresses, err := c.Policy.Resolve(ctx, s.Backend)
	if err != nil {
		if errors.Is(err, name.ErrRefused) {
			r.Servers = nil
		}
		r.Reason = err.Error()
		return r
	}
	r.Servers = urls(s, addresses)
	if !r.Encrypted {
		return r
	}
	return verify(ctx, s, root, addresses, r)
}

// verify looks at the certificate that each address shows.
func verify(ctx context.Context, s registry.Service, root string, addresses []netip.Addr, r Route) Route {
	if s.Fingerprint == "" {
		r.Trust, r.ServerName = trust(s, root), serverName(s)
	}
	for _, ip := range addresses {
		found, err := look(ctx, s, ip, r)
		switch {
		case err == nil:
			r.Trust, r.ServerName, r.Verified = found.trust, found.serverName, true
		case unreachable(err) && r.Verified:
			// It was verified before; that it is away is for its users to see.
		default:
			r.Verified = false
			r.Reason = fmt.Sprintf("backend %s: %v", hostPort(s, ip), err)
			return r
		}
	}
	return r
}

// identity is what verifies a backend.
type identity struct{ trust, serverName string }

func look(ctx context.Context, s registry.Service, ip netip.Addr, r Route) (identity, error) {
	if s.Fingerprint != "" {
		return pinned(ctx, s, ip)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(r.Trust)) {
		return identity{}, errors.New("nothing to verify it against")
	}
	config := &tls.Config{RootCAs: pool, ServerName: r.ServerName, MinVersion: tls.VersionTLS12}
	if config.ServerName == "" {
		config.ServerName = ip.String()
	}
	_, err := shake(ctx, hostPort(s, ip), config)
	return identity{r.Trust, r.ServerName}, err
}

// pinned compares the certificate with the given fingerprint, and makes it the
// one that is trusted, by a name that it carries.
func pinned(ctx context.Context, s registry.Service, ip netip.Addr) (identity, error) {
	config := &tls.Config{
		ServerName: s.ServerName, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // the certificate is compared with the fingerprint, and nothing is sent
		VerifyConnection:   func(state tls.ConnectionState) error { return compare(state, s.Fingerprint) },
	}
	if config.ServerName == "" && serverName(s) != "" {
		config.ServerName = serverName(s)
	}
	leaf, err := shake(ctx, hostPort(s, ip), config)
	if err != nil {
		return identity{}, err
	}
	id := identity{trust: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))}
	if id.serverName, err = carried(leaf, s, ip); err != nil {
		return identity{}, err
	}
	return id, usable(leaf, id.serverName, ip)
}

func compare(state tls.ConnectionState, fingerprint string) error {
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	if got := hex.EncodeToString(sum[:]); got != fingerprint {
		return fmt.Errorf("its certificate has the fingerprint %s, not the given one", got)
	}
	return nil
}

// carried returns a name that the certificate is valid for: the given one, or the
// first it carries. It is empty when the certificate carries the address itself.
func carried(leaf *x509.Certificate, s registry.Service, ip netip.Addr) (string, error) {
	switch {
	case s.ServerName != "":
		return s.ServerName, nil
	case leaf.VerifyHostname(ip.String()) == nil:
		return "", nil
	case len(leaf.DNSNames) > 0:
		return strings.Replace(leaf.DNSNames[0], "*", "any", 1), nil
	case len(leaf.IPAddresses) > 0:
		return leaf.IPAddresses[0].String(), nil
	}
	return "", errors.New("its certificate carries no name that could be verified")
}

// usable says whether Traefik will accept the certificate as its own root.
func usable(leaf *x509.Certificate, serverName string, ip netip.Addr) error {
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	if serverName == "" {
		serverName = ip.String()
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: serverName, Roots: pool}); err != nil {
		return fmt.Errorf("its certificate can't be used: %w", err)
	}
	return nil
}

// shake does a TLS handshake and returns the leaf.
func shake(ctx context.Context, address string, config *tls.Config) (*x509.Certificate, error) {
	d := tls.Dialer{Config: config}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	secured, ok := conn.(*tls.Conn)
	if !ok || len(secured.ConnectionState().PeerCertificates) == 0 {
		return nil, errors.New("it shows no certificate")
	}
	return secured.ConnectionState().PeerCertificates[0], nil
}

// unreachable says that no answer came, as opposed to a wrong one.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, context.DeadlineExceeded)
}
