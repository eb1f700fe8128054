package await

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// askFor bounds one question at the front door.
const askFor = 5 * time.Second

// FrontDoor gets url as a client that trusts the root alone would, from the
// gateway at host:port, until it answers 200 or ctx ends.
func FrontDoor(ctx context.Context, url, gateway, root string) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(root)) {
		return errors.New("front door: the root certificate is not PEM")
	}
	var dialer net.Dialer
	client := &http.Client{Timeout: askFor, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, gateway)
		},
	}}
	var last error
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 50*time.Millisecond, time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := ask(ctx, client, url)
		if err != nil && (last == nil || ctx.Err() == nil) { // not what ctx's end made of it
			last = err
		}
		return struct{}{}, err
	}, backoff.WithBackOff(retry), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && last != nil:
		return fmt.Errorf("front door: %w: %w", ctx.Err(), last)
	}
	return fmt.Errorf("front door: %w", err)
}

func ask(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return backoff.Permanent(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, res.Status)
	}
	return nil
}
