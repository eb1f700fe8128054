package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
	"github.com/phoenix-platform/phoenix/services/proxyconf/serve"
)

// setup is what the configuration says, judged.
type setup struct {
	site   serve.Site
	rules  registry.Rules
	own    nkeys.KeyPair // curve key pair
	public string        // its public part
}

// setupOf reads the configuration, and reports every fault of it at once.
func setupOf(c service.Config) (setup, error) {
	p := c.Proxy
	self, selfErr := os.Executable()
	s := setup{site: serve.Site{
		Domain: c.Domain, HTTPS: p.Listen, API: p.API, Gateway: p.Gateway, Traefik: p.Traefik, Unit: p.TraefikUnit, Self: self,
	}}
	policy, policyErr := name.ParsePolicy(p.AllowLoopback, p.Denied)
	s.rules = registry.Rules{Domain: c.Domain, Backends: policy}
	errs := []error{selfErr, name.Domain(c.Domain), addressPort("proxy.listen", p.Listen), addressPort("proxy.api", p.API), policyErr}
	for _, g := range p.Gateway {
		if _, err := netip.ParseAddr(g); err != nil {
			errs = append(errs, fmt.Errorf("proxy.gateway: %w", err))
		}
	}
	if err := unit.ValidName(p.TraefikUnit); err != nil {
		errs = append(errs, fmt.Errorf("proxy.traefik_unit: %w", err))
	}
	for key, path := range map[string]string{"state": c.State, "proxy.traefik": p.Traefik, "curve": c.Curve} {
		if !filepath.IsAbs(path) {
			errs = append(errs, fmt.Errorf("%s is %q: want an absolute path", key, path))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return setup{}, err
	}
	var err error
	s.own, s.public, err = readCurve(c.Curve)
	return s, err
}

func addressPort(key, value string) error {
	if _, err := netip.ParseAddrPort(value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// readCurve reads the container's curve key pair, in whose name pairs are sealed.
func readCurve(path string) (own nkeys.KeyPair, public string, err error) {
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

// openBook reads the bucket; a bus that does not answer yet is waited for.
func openBook(ctx context.Context, rt *service.Runtime, rules registry.Rules) (*book.Book, error) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 100*time.Millisecond, 5*time.Second
	return backoff.Retry(ctx, func() (*book.Book, error) {
		return book.Open(ctx, rt.Bus.Bucket(events.BucketProxyconf), rules)
	}, backoff.WithBackOff(retry), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, again time.Duration) {
		rt.Log.WarnContext(ctx, "book not read", "err", err, "again", again)
	}))
}
