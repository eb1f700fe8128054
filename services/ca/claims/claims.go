package claims

import (
	"context"
	"errors"
	"time"

	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// Patience is how long a request waits for a claim, by the way it came. The
// claim and the request for it come by different roads, and Traefik, which heard
// of a service earlier than the CA, would try its order just once. Whoever asks
// over the bus is answered when the message comes again.
type Patience map[stepca.Way]time.Duration

// DefaultPatience is enough for a claim that is really on its way.
func DefaultPatience() Patience {
	return Patience{stepca.WayACME: 5 * time.Second, stepca.WayJWK: 2 * time.Second}
}

// Source is a registry that tells of changes.
type Source interface {
	Registry
	// ClaimsChanged is closed at the next change.
	ClaimsChanged() <-chan struct{}
}

// Claims answers the CA. It implements stepca.Claims.
type Claims struct {
	rules    Rules
	source   Source
	patience Patience
}

var _ stepca.Claims = (*Claims)(nil)

// New returns claims by these rules.
func New(rules Rules, source Source, patience Patience) *Claims {
	return &Claims{rules: rules, source: source, patience: patience}
}

// Check implements stepca.Claims.
func (c *Claims) Check(ctx context.Context, r stepca.Request) error {
	late := time.NewTimer(c.patience[r.Way])
	defer late.Stop()
	for {
		changed := c.source.ClaimsChanged()
		err := c.rules.Judge(c.source, r)
		if !errors.Is(err, ErrUnclaimed) {
			return err
		}
		select {
		case <-changed:
		case <-late.C:
			return err
		case <-ctx.Done():
			return err
		}
	}
}
