package stepca

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// The durations that are used where none is given.
const (
	DefaultDuration         = 24 * time.Hour
	DefaultRootLife         = 10 * 365 * 24 * time.Hour
	DefaultIntermediateLife = 5 * 365 * 24 * time.Hour
)

// minDuration is the shortest life of a leaf certificate that anybody may ask
// for, unless all of them are shorter.
const minDuration = 5 * time.Minute

// Options say what CA to make or to load, and what surrounds it.
type Options struct {
	// Folder holds step's layout: config, certs, secrets and db. It is made when
	// it is not there.
	Folder string
	// Listen is host:port of the HTTPS server.
	Listen string
	// Names are the DNS names and IP addresses on the server's own certificate.
	Names []string
	// Domains and Ranges are what the intermediate certificate permits: DNS names
	// in these domains and addresses in these ranges.
	Domains []string
	Ranges  []netip.Prefix
	// Name is the stem of the CA certificates' common names.
	Name string
	// Duration is the life of leaf certificates; nobody gets a longer one.
	Duration time.Duration
	// RootLife and IntermediateLife count when the CA is made.
	RootLife, IntermediateLife time.Duration

	// Claims decides what may be signed.
	Claims Claims
	// Network says where challenges are answered.
	Network Network
	// Signed is told of each certificate once it is stored and before anybody has
	// it. It must not block. What it misses in a crash, [CA.Signed] returns.
	Signed func(Certificate)
	Log    *slog.Logger
}

// Claims decides whether a certificate may be signed or renewed.
type Claims interface {
	// Check returns nil when everything in the request is claimed by whoever may
	// ask for it in that way, else the reason. It may wait for a claim that is
	// still on its way, but not for long.
	Check(ctx context.Context, r Request) error
}

// Network says where the challenges of ACME are answered.
type Network interface {
	// Endpoint returns host:port at which tls-alpn-01 for a host is answered.
	Endpoint(ctx context.Context, host string) (string, error)
	// TXT returns the TXT records of a name, as dns-01 wants them.
	TXT(ctx context.Context, name string) ([]string, error)
}

// Way is how a certificate was asked for.
type Way string

// The ways of asking.
const (
	WayACME  Way = "acme"
	WayJWK   Way = "jwk"   // a token that was signed by a provisioner's key
	WayBus   Way = "bus"   // [CA.Sign]
	WayRenew Way = "renew" // renewed or rekeyed by the holder of a certificate
	WayOwn   Way = "own"   // the CA's own server certificate
	wayOther Way = "other" // a provisioner that somebody added
)

// Request is what [Claims] is asked about.
type Request struct {
	Way Way
	// Speaker is who asked, where the way tells.
	Speaker string
	DNS     []string
	IPs     []netip.Addr
}

// Names returns everything that the request is for.
func (r Request) Names() []string {
	out := append(make([]string, 0, len(r.DNS)+len(r.IPs)), r.DNS...)
	for _, ip := range r.IPs {
		out = append(out, ip.String())
	}
	return out
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "Phoenix"
	}
	if o.Duration == 0 {
		o.Duration = DefaultDuration
	}
	if o.RootLife == 0 {
		o.RootLife = DefaultRootLife
	}
	if o.IntermediateLife == 0 {
		o.IntermediateLife = DefaultIntermediateLife
	}
	return o
}

// Validate reports every fault at once.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		errs = append(errs, fmt.Errorf("address to listen on %q is not host:port", o.Listen))
	}
	if len(o.Names) == 0 {
		errs = append(errs, errors.New("the CA's own certificate has no name"))
	}
	if len(o.Domains) == 0 {
		errs = append(errs, errors.New("no domain is permitted"))
	}
	if len(o.Ranges) == 0 {
		errs = append(errs, errors.New("no address range is permitted"))
	}
	if o.Duration < time.Minute {
		errs = append(errs, fmt.Errorf("certificates that live %s are too short: a minute is the least", o.Duration))
	}
	if o.IntermediateLife > o.RootLife {
		errs = append(errs, fmt.Errorf("the intermediate (%s) can't live longer than the root (%s)", o.IntermediateLife, o.RootLife))
	}
	if o.Duration > o.IntermediateLife {
		errs = append(errs, fmt.Errorf("certificates (%s) can't live longer than the intermediate (%s)", o.Duration, o.IntermediateLife))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("options of the CA: %w", err)
	}
	return nil
}
