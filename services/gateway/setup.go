package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/serve"
)

// handlers answer events: each judges its message and records it. What follows
// is the reconciler's.
type handlers struct {
	stack  string
	site   serve.Site
	curve  string // the container's own public curve key
	ledger *ledger.Ledger
	log    *slog.Logger
}

// siteOf reads the configuration, and reports every fault of it at once.
func siteOf(c service.Config) (serve.Site, error) {
	site := serve.Site{Domain: c.Domain}
	errs := []error{name.Domain(c.Domain)}
	var err error
	site.HTTPS, err = addresses("gateway.https", c.Gateway.HTTPS)
	errs = append(errs, err)
	site.HTTP, err = addresses("gateway.http", c.Gateway.HTTP)
	errs = append(errs, err)
	if len(c.Gateway.HTTPS) == 0 {
		errs = append(errs, errors.New("gateway.https is missing"))
	}
	if p := c.Gateway.PublicPort; p < 1 || p > 65535 {
		errs = append(errs, fmt.Errorf("gateway.public_port is %d: want 1 to 65535", p))
	} else {
		site.PublicPort = uint16(p)
	}
	for key, path := range map[string]string{"state": c.State, "gateway.nginx": c.Gateway.Nginx, "curve": c.Curve} {
		if !filepath.IsAbs(path) {
			errs = append(errs, fmt.Errorf("%s is %q: want an absolute path", key, path))
		}
	}
	return site, errors.Join(errs...)
}

func addresses(key string, list []string) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	var errs []error
	for _, s := range list {
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		out = append(out, a)
	}
	return out, errors.Join(errs...)
}

// readCurve reads the container's curve key pair, which private pairs are
// sealed to.
func readCurve(path string) (own nkeys.KeyPair, public string, err error) { //nolint:ireturn // nkeys has no other type
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", fmt.Errorf("read the curve key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, "", fmt.Errorf("curve key %s may be read by others (mode %04o): chmod 600 it", path, mode)
	}
	seed, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, "", fmt.Errorf("read the curve key: %w", err)
	}
	defer clear(seed)
	if own, err = nkeys.FromCurveSeed(bytes.TrimSpace(seed)); err != nil {
		return nil, "", fmt.Errorf("curve key %s: %w", path, err)
	}
	if public, err = own.PublicKey(); err != nil {
		return nil, "", fmt.Errorf("curve key %s: %w", path, err)
	}
	return own, public, nil
}

// openLedger reads the bucket; a bus that does not answer yet is waited for.
func openLedger(ctx context.Context, rt *service.Runtime) (*ledger.Ledger, error) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 100*time.Millisecond, 5*time.Second
	return backoff.Retry(ctx, func() (*ledger.Ledger, error) {
		return ledger.Open(ctx, rt.Bus.Bucket(events.BucketGateway))
	}, backoff.WithBackOff(retry), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, again time.Duration) {
		rt.Log.WarnContext(ctx, "ledger not read", "err", err, "again", again)
	}))
}
