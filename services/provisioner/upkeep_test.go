package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestReadyStackIsKeptSo(t *testing.T) {
	r := newRig(t)
	r.start()
	end[events.StackReady](r, r.up())

	r.shut.Store(true)
	r.eventually("degraded", func() bool { return r.stack().State == events.StateDegraded })
	if reason := r.stack().Reason; reason != "the front door: 502" {
		t.Errorf("degraded for %q", reason)
	}
	r.shut.Store(false)
	r.eventually("ready again", func() bool { return r.stack().State == events.StateReady })

	curve := r.containers()["container.102"].Curve
	if err := os.RemoveAll(filepath.Join(r.home, "containers/102")); err != nil {
		t.Fatal(err)
	}
	r.eventually("container.ready of the repair", func() bool { return r.count("container.ready") == 4 })
	r.eventually("ready after the repair", func() bool { return r.stack().State == events.StateReady })
	if r.containers()["container.102"].Curve == curve {
		t.Error("the curve key that was lost is still recorded")
	}

	if err := r.host.Stop(t.Context(), "103-ca"); err != nil {
		t.Fatal(err)
	}
	r.eventually("the unit started again", func() bool {
		s, err := r.host.Status(t.Context(), "103-ca")
		return err == nil && s.State == "active"
	})
	if n := r.count("container.ready"); n != 4 {
		t.Errorf("container.ready was said %d times, want none for a mere restart", n)
	}
}
