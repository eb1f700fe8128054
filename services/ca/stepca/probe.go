package stepca

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Probe asks the CA for its health as a client would that trusts the root
// alone, and makes sure that it shows the newest of its own certificates.
func (c *CA) Probe(ctx context.Context) error {
	roots := x509.NewCertPool()
	roots.AddCert(c.chain.root)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, ServerName: c.name},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.address)
		},
	}}
	if err := c.probe(ctx, client); err != nil {
		return fmt.Errorf("ask the CA at %s for its health: %w", c.address, err)
	}
	return nil
}

func (c *CA) probe(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/health", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var health struct {
		Status string `json:"status"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&health); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK || health.Status != "ok" {
		return fmt.Errorf("status %d, %q", resp.StatusCode, health.Status)
	}
	own, err := c.renewer.GetCertificate(nil)
	if err != nil {
		return err
	}
	if got, want := resp.TLS.PeerCertificates[0].SerialNumber, own.Leaf.SerialNumber; got.Cmp(want) != 0 {
		return fmt.Errorf("it shows certificate %s, not the newest, %s", Serial(got), Serial(want))
	}
	return nil
}
