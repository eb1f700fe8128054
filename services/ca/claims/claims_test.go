package claims_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/ca/claims"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestMain(m *testing.M) {
	// A logging library below step-ca flushes for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// changing is a registry that services come to.
type changing struct {
	mu      sync.Mutex
	held    registered
	changed chan struct{}
}

func (c *changing) Claimed(host string) (registry.Service, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held.Claimed(host)
}

func (c *changing) Services() []registry.Service {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held.services
}

func (c *changing) ClaimsChanged() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *changing) add(s ...registry.Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held.services = append(c.held.services, s...)
	close(c.changed)
	c.changed = make(chan struct{})
}

func TestCheckWaitsForClaim(t *testing.T) {
	request := stepca.Request{Way: stepca.WayACME, DNS: []string{"grafana." + domain}}
	tests := map[string]struct {
		come  time.Duration // when the claim comes; 0: never
		way   stepca.Way
		took  time.Duration
		fails bool
	}{
		"it comes in time":     {time.Second, stepca.WayACME, time.Second, false},
		"it comes too late":    {6 * time.Second, stepca.WayACME, 5 * time.Second, true},
		"it never comes":       {0, stepca.WayACME, 5 * time.Second, true},
		"renewals don't wait":  {time.Second, stepca.WayRenew, 0, true},
		"the bus doesn't wait": {time.Second, stepca.WayBus, 0, true},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &changing{changed: make(chan struct{})}
				if tt.come > 0 {
					time.AfterFunc(tt.come/2, func() { source.add() }) // some other change
					time.AfterFunc(tt.come, func() { source.add(twoServices().services...) })
				}
				r := request
				r.Way, r.Speaker = tt.way, "ops"
				start := time.Now()
				err := claims.New(rules(), source, claims.DefaultPatience()).Check(t.Context(), r)
				if took := time.Since(start); (err != nil) != tt.fails || took != tt.took {
					t.Errorf("%v after %s; want %s", err, took, tt.took)
				}
				if tt.fails && !errors.Is(err, claims.ErrUnclaimed) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestCheckEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := claims.New(rules(), &changing{changed: make(chan struct{})}, claims.Patience{stepca.WayACME: time.Hour})
	err := c.Check(ctx, stepca.Request{Way: stepca.WayACME, DNS: []string{"grafana." + domain}})
	if !errors.Is(err, claims.ErrUnclaimed) {
		t.Errorf("got %v", err)
	}
}
