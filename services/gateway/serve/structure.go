package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
)

// Site is where this gateway is. It does not change while the process runs.
type Site struct {
	Domain      string
	HTTPS, HTTP []netip.AddrPort
	PublicPort  uint16
}

// OwnHost is the name that the gateway itself answers to.
func (s Site) OwnHost() string { return "gateway." + s.Domain }

// ProxyHost is the name on Traefik's own certificate.
func (s Site) ProxyHost() string { return "proxy." + s.Domain }

// url is where people open a host.
func (s Site) url(host string) string {
	if s.PublicPort == 443 {
		return "https://" + host + "/"
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(int(s.PublicPort))) + "/"
}

// What nobody has told yet.
var (
	errNoRoot     = errors.New("root of the CA is not known yet")
	errNoUpstream = errors.New("address of Traefik is not known yet")
)

// configuration returns the configuration of nginx that follows from what is known.
// The proxy's own word for its address counts more than that of its container,
// but comes later.
func (s Site) configuration(known ledger.State) (nginx.Config, error) {
	if known.Root.PEM == "" {
		return nginx.Config{}, errNoRoot
	}
	address := known.Upstream.Address
	if address == "" {
		address = known.Proxy.HTTPS
	}
	if address == "" {
		return nginx.Config{}, errNoUpstream
	}
	upstream, err := netip.ParseAddrPort(address)
	if err != nil {
		return nginx.Config{}, fmt.Errorf("address of Traefik: %w", err)
	}
	return nginx.Config{
		Domain: s.Domain, HTTPS: s.HTTPS, HTTP: s.HTTP, PublicPort: s.PublicPort,
		Upstream: upstream, UpstreamName: s.ProxyHost(), Root: []byte(known.Root.PEM), User: nginx.WorkerUser(),
	}, nil
}

// structure is what the loop knows of nginx's configuration.
type structure struct {
	wanted nginx.Config // what was last tried
	tried  bool         // it was tried at all
	done   bool         // it was applied
	retry  *host
}

// apply has nginx run with the configuration that follows from what is known,
// and returns when to come again.
func (r *Reconciler) apply(ctx context.Context, state ledger.State) time.Time {
	now := time.Now()
	next := now.Add(sweepEvery)
	wanted, err := r.site.configuration(state)
	if err != nil {
		return next
	}
	s := &r.structure
	if same := reflect.DeepEqual(wanted, s.wanted); same && (s.done || s.retry.after.After(now)) {
		if !s.done {
			next = s.retry.after
		}
		return next
	} else if !same {
		s.retry = newHost()
	}
	changed, err := r.nginx.Apply(ctx, wanted)
	if ctx.Err() != nil {
		return next
	}
	s.wanted, s.tried, s.done = wanted, true, err == nil
	s.retry.end(err, time.Now())
	r.noteApplied(ctx, changed, err)
	if err != nil {
		return s.retry.after
	}
	return next
}

// noteApplied tells how it went.
func (r *Reconciler) noteApplied(ctx context.Context, changed bool, err error) {
	var refused *nginx.RefusedError
	switch {
	case errors.As(err, &refused):
		r.report.refused(refused.Reason)
		r.log.ErrorContext(ctx, "nginx refused its configuration; the former one serves", "reason", refused.Reason)
	case err != nil:
		r.log.WarnContext(ctx, "nginx not configured", "err", err)
	default:
		r.report.refused("")
	}
	if changed {
		r.log.InfoContext(ctx, "nginx configured", "upstream", r.structure.wanted.Upstream.String())
		r.retryAll()
	}
}

// retryAll has everything that waits for its next try tried now.
func (r *Reconciler) retryAll() {
	for _, h := range r.hosts {
		h.after = time.Time{}
	}
}
