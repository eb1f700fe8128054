package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/claims"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// site is what the configuration says.
type site struct {
	authority stepca.Options
	registry  registry.Rules
	claims    claims.Rules
}

// siteOf reads the configuration, and reports every fault of it at once.
func siteOf(c service.Config) (site, error) {
	s := site{
		authority: stepca.Options{
			Folder: filepath.Join(c.State, "step"), Listen: c.CA.Listen, Names: c.CA.Names, Domains: c.CA.Domains,
			Name: c.CA.Name, Duration: c.CA.Duration, RootLife: c.CA.RootLife, IntermediateLife: c.CA.IntermediateLife,
		},
		registry: registry.Rules{Domain: c.Domain},
		claims:   claims.Rules{Domain: c.Domain, Bus: addressOf(c.Bus.URL)},
	}
	if s.authority.Name == "" {
		s.authority.Name = "Phoenix " + c.Stack
	}
	errs := []error{name.Domain(c.Domain)}
	for _, d := range c.CA.Domains {
		errs = append(errs, name.Domain(d))
	}
	for _, r := range c.CA.IPRanges {
		prefix, err := netip.ParsePrefix(r)
		if err != nil {
			errs = append(errs, fmt.Errorf("ca.ip_ranges: %w", err))
		}
		s.authority.Ranges = append(s.authority.Ranges, prefix)
	}
	policy, err := name.ParsePolicy(c.CA.AllowLoopback, c.CA.Denied)
	if err != nil {
		errs = append(errs, fmt.Errorf("ca.denied: %w", err))
	}
	s.registry.Backends = policy
	if !filepath.IsAbs(c.State) {
		errs = append(errs, fmt.Errorf("state is %q: want an absolute path", c.State))
	}
	errs = append(errs, s.authority.Validate())
	return s, errors.Join(errs...)
}

// addressOf returns the address in a URL; none when it has a name.
func addressOf(bus string) netip.Addr {
	u, err := url.Parse(bus)
	if err != nil {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap()
}

// openBook reads the bucket; a bus that does not answer yet is waited for.
func openBook(ctx context.Context, rt *service.Runtime, rules registry.Rules) (*book.Book, error) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 100*time.Millisecond, 5*time.Second
	return backoff.Retry(ctx, func() (*book.Book, error) {
		return book.Open(ctx, rt.Bus.Bucket(events.BucketCA), rules)
	}, backoff.WithBackOff(retry), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, again time.Duration) {
		rt.Log.WarnContext(ctx, "book not read", "err", err, "again", again)
	}))
}
