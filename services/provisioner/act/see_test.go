package act

import (
	"context"
	"errors"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// said returns a state in which all services spoke; what they said of addresses
// is not to be believed.
func said(r *rig) saga.State {
	s := r.full("home-1")
	s = r.apply(s, saga.CASaid{Fact: saga.Fact[events.CAReady]{Sequence: 10, Data: events.CAReady{URL: "https://ca.phoenix.localhost:9000", Root: "ROOT"}}})
	s = r.apply(s, saga.ProxySaid{Fact: saga.Fact[events.ProxyReady]{Sequence: 11, Data: events.ProxyReady{Address: "127.17.9.9:1", Host: "evil.test"}}})
	return r.apply(s, saga.GatewaySaid{Fact: saga.Fact[events.GatewayReady]{Sequence: 12, Data: events.GatewayReady{Addresses: []string{"127.17.9.9:1"}}}})
}

func TestSeeLooksWhereTheContainersAre(t *testing.T) {
	for step, want := range map[saga.Step]string{
		saga.StepCA:        "https 127.17.1.103:9000 ca.phoenix.localhost ROOT https://ca.phoenix.localhost:9000/health",
		saga.StepProxy:     "tls 127.17.1.102:8443 proxy.phoenix.localhost ROOT",
		saga.StepGateway:   "tls 127.17.1.101:8443 gateway.phoenix.localhost ROOT",
		saga.StepFrontDoor: "https 127.17.1.101:8443 gateway.phoenix.localhost ROOT https://gateway.phoenix.localhost:8443/",
	} {
		r := newRig(t)
		s := said(r)
		if got := r.do(s, saga.Action{Kind: saga.See, Step: step}); got != (saga.StepSeen{Run: "home-1", Step: step}) {
			t.Errorf("%s: told was %+v", step, got)
		}
		equal(t, string(step), r.seen, []string{want})
		r.look = errors.New("unknown authority")
		_, err := r.Do(t.Context(), s, saga.Action{Kind: saga.See, Step: step})
		wantError(t, err, false, "unknown authority")
	}
}

func TestSeeRefusesOtherSteps(t *testing.T) {
	r := newRig(t)
	_, err := r.Do(t.Context(), said(r), saga.Action{Kind: saga.See, Step: saga.StepServices})
	wantError(t, err, false, "can't be seen")
	_, err = r.Do(t.Context(), saga.New("home"), saga.Action{Kind: saga.See, Step: saga.StepProxy})
	wantError(t, err, false, "has no proxy")
}

func TestWatchDoor(t *testing.T) {
	r := newRig(t)
	s := said(r)
	watch := saga.Action{Kind: saga.WatchDoor}
	if got := r.do(s, watch); got != (saga.FrontDoorSeen{Run: "home-1"}) {
		t.Errorf("told was %+v", got)
	}
	r.look = errors.New("502")
	if got := r.do(s, watch); got != (saga.FrontDoorSeen{Run: "home-1", Trouble: "the front door: 502"}) {
		t.Errorf("told was %+v", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := r.Do(ended, s, watch); e != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("a look that was called off told %+v, %v", e, err)
	}
}
