package act

import (
	"context"
	"errors"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func TestProbeAsksUnitAndService(t *testing.T) {
	r := newRig(t)
	s := r.full("home-1")
	probe := saga.Action{Kind: saga.Probe, Container: 103}
	if got, want := r.do(s, probe), (saga.ContainerAlive{Run: "home-1", ID: 103}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	equal(t, "looked at", r.seen, []string{"alive 127.17.1.103:9090"})

	r.look = errors.New("connection refused")
	_, err := r.Do(t.Context(), s, probe)
	wantError(t, err, false, "service in container 103: connection refused")

	if err := r.host.Stop(t.Context(), "103-ca"); err != nil {
		t.Fatal(err)
	}
	_, err = r.Do(t.Context(), s, probe)
	wantError(t, err, false, "unit 103-ca is inactive")
}

func TestNotActiveTellsWhereToLook(t *testing.T) {
	err := notActive(unit.Status{Name: "103-ca", State: unit.Failed, Restarts: 4, LastExit: "exit status 2", Log: "/logs/103-ca.log"})
	if want := "unit 103-ca is failed after 4 restarts: exit status 2; its log is /logs/103-ca.log"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestWatchInterior(t *testing.T) {
	r := newRig(t)
	s := r.full("home-1")
	watch := saga.Action{Kind: saga.WatchInterior, Container: 103}
	if e := r.do(s, watch); e != nil {
		t.Errorf("all is well, and told was %+v", e)
	}
	r.look = errors.New("connection refused")
	lost, ok := r.do(s, watch).(saga.ContainerLost)
	if !ok || lost.ID != 103 || lost.Reason != "service in container 103: connection refused" {
		t.Errorf("told was %+v", lost)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := r.Do(ended, s, watch); e != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("a look that was called off told %+v, %v", e, err)
	}
}
