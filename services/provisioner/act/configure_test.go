package act

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// broken is a bucket that can't be read.
type broken struct{}

func (broken) Get(context.Context, string) ([]byte, uint64, error) {
	return nil, 0, errors.New("no bus")
}

func TestConfigureTakesWhatTheOperatorWants(t *testing.T) {
	r := newRig(t)
	r.want(func(s *config.Stack) {
		s.Domain = "lab.test"
		s.Deadline.Step = config.Duration(9 * time.Second)
	})
	s := r.begin("home-1")
	if s.Domain != "lab.test" || s.Address != "https://gateway.lab.test:8443/" || s.Limits.Step != 9*time.Second || len(s.Containers) != 3 {
		t.Errorf("domain %s, address %s, limits %v, %d containers", s.Domain, s.Address, s.Limits, len(s.Containers))
	}
}

func TestConfigureHoldsTheConfigurationForTheRun(t *testing.T) {
	r := newRig(t)
	s := r.begin("home-1")
	r.want(func(s *config.Stack) { s.Domain = "later.test" })
	held, err := r.held(t.Context(), s.Stack)
	if err != nil || held.Domain != "phoenix.localhost" {
		t.Errorf("domain is %s, %v, want that of the run's beginning", held.Domain, err)
	}
}

func TestConfigureRefuses(t *testing.T) {
	tests := []struct {
		name    string
		stack   string
		put     func(r *rig)
		refused bool
		text    string
	}{
		{"no configuration", "lab", func(*rig) {}, true, "no configuration"},
		{"broken JSON", "home", func(r *rig) { _, _ = r.stacks.Put(context.Background(), "home", []byte("{")) }, true, "decode"},
		{"not valid", "home", func(r *rig) { r.want(func(s *config.Stack) { s.Domain = "../x" }) }, true, "domain"},
		{"another name", "home", func(r *rig) { r.want(func(s *config.Stack) { s.Stack = "lab" }) }, true, "for stack lab"},
		{"other addresses", "home", func(r *rig) { r.want(func(s *config.Stack) { s.Addresses = "127.17.9" }) }, true, "127.17.9"},
		{"bus away", "home", func(r *rig) { r.Stacks = broken{} }, false, "no bus"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			tt.put(r)
			s := r.apply(saga.New(tt.stack), saga.Requested{Request: saga.Request{Run: "x-1", Sequence: 1, Want: events.Present}})
			_, err := r.Do(t.Context(), s, saga.Action{Kind: saga.Configure})
			wantError(t, err, tt.refused, tt.text)
		})
	}
}
