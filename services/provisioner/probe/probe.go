// Package probe looks at services as their clients would: what a message claims
// counts only once it was seen here.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// timeout bounds one look.
const timeout = 5 * time.Second

// Endpoint is where to look, and what must be seen there.
type Endpoint struct {
	Dial string // host:port to connect to
	Name string // that the certificate must carry
	Root string // PEM, the one certificate that is trusted
}

// Alive asks the health endpoint of a service at host:port.
func Alive(ctx context.Context, address string) error {
	return get(ctx, &http.Transport{DisableKeepAlives: true}, "http://"+address+"/healthz")
}

// HTTPS gets url from the endpoint, verified, and wants the status 200.
func HTTPS(ctx context.Context, e Endpoint, url string) error {
	conf, err := e.tls()
	if err != nil {
		return err
	}
	var dialer net.Dialer
	return get(ctx, &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   conf,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, e.Dial)
		},
	}, url)
}

// Handshake makes a TLS handshake with the endpoint, verified.
func Handshake(ctx context.Context, e Endpoint) error {
	conf, err := e.tls()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: conf}).DialContext(ctx, "tcp", e.Dial)
	if err != nil {
		return fmt.Errorf("handshake with %s as %s: %w", e.Dial, e.Name, err)
	}
	return conn.Close()
}

func (e Endpoint) tls() (*tls.Config, error) {
	root, err := Root(e.Root)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &tls.Config{RootCAs: pool, ServerName: e.Name, MinVersion: tls.VersionTLS12}, nil
}

// Root reads a PEM text of exactly one CA certificate.
func Root(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("root certificate: not a PEM certificate")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("root certificate: more than one")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("root certificate: %w", err)
	}
	if !root.IsCA {
		return nil, errors.New("root certificate: not one of a CA")
	}
	return root, nil
}

func get(ctx context.Context, transport *http.Transport, url string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("get %s: %w", url, err)
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return err // names method and URL
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: answered %s", url, res.Status)
	}
	return nil
}
