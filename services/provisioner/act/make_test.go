package act

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func TestLook(t *testing.T) {
	r := newRig(t)
	s := r.begin("home-1")
	look := saga.Action{Kind: saga.Look, Container: 103}
	before := func() saga.Presence {
		found, ok := r.do(s, look).(saga.Found)
		if !ok {
			t.Fatal("look found nothing to tell")
		}
		return found.Before
	}
	if got := before(); got != saga.Missing {
		t.Errorf("nothing there is %s", got)
	}
	r.made(s)
	if got := before(); got != saga.Running {
		t.Errorf("a container that runs is %s", got)
	}
	if err := r.Driver.Destroy(t.Context(), driver.Ref{ID: 103, Stack: "home"}, driver.Keep); err != nil {
		t.Fatal(err)
	}
	if got := before(); got != saga.Kept {
		t.Errorf("data of a former life is %s", got)
	}
}

func TestForeignContainerIsRefusedAndNotTouched(t *testing.T) {
	r := newRig(t)
	s := r.begin("home-1")
	r.foreign()
	for _, kind := range []saga.Kind{saga.Look, saga.Make} {
		_, err := r.Do(t.Context(), s, saga.Action{Kind: kind, Container: 103})
		wantError(t, err, true, "container 103 is taken and was not touched")
	}
	entries, err := os.ReadDir(filepath.Join(r.home, "containers/103"))
	if err != nil || len(entries) != 1 {
		t.Errorf("the foreign folder has %v, %v", entries, err)
	}
	if calls := r.host.Calls(); len(calls) != 0 {
		t.Errorf("the host was told %v", calls)
	}
}

func TestMakeFillsTheContainer(t *testing.T) {
	r := newRig(t)
	s := r.begin("home-1")
	made := r.made(s)
	if !made.Changed || made.Seen.Run != "home-1" || made.Seen.Address != "127.17.1.103" || made.Seen.Ports["acme"] != 9000 {
		t.Errorf("made %+v", made)
	}
	root := r.Driver.Root(103)
	for file, want := range map[string]struct {
		mode    fs.FileMode
		content string
	}{
		blueprint.StateFolder:  {fs.ModeDir | 0o700, ""},
		blueprint.BusCAFile:    {0o600, "certificates"},
		blueprint.IdentityFile: {0o600, "seed of ca"},
		blueprint.ConfigFile:   {0o600, "stack: home"},
		blueprint.CurveFile:    {0o600, "SX"},
	} {
		info, err := os.Stat(root + file)
		if err != nil || info.Mode() != want.mode {
			t.Errorf("%s: mode %v, %v, want %v", file, info.Mode(), err, want.mode)
			continue
		}
		if raw, err := os.ReadFile(root + file); !info.IsDir() && (err != nil || !strings.HasPrefix(string(raw), want.content)) {
			t.Errorf("%s: %.20q, %v, want %q", file, raw, err, want.content)
		}
	}
	equal(t, "host", r.host.Calls(), []string{"define 103-ca", "start 103-ca"})
	checkCurve(t, root, made.Seen.Curve)
	if c, err := service.Load(root + blueprint.ConfigFile); err != nil || c.Validate("ca") != nil {
		t.Errorf("the service can't read its configuration: %v, %v", err, c.Validate("ca"))
	}
}

// checkCurve wants the public key to be that of the seed in the container.
func checkCurve(t *testing.T, root, public string) {
	t.Helper()
	seed, err := os.ReadFile(root + blueprint.CurveFile)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := nkeys.FromCurveSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := pair.PublicKey(); err != nil || public != want {
		t.Errorf("public curve key is %s, %v, want %s", public, err, want)
	}
}

func TestMakeAgain(t *testing.T) {
	tests := []struct {
		name     string
		change   func(r *rig)
		changed  bool
		restarts bool // the unit is another one then
		newCurve bool
	}{
		{"nothing", func(*rig) {}, false, false, false},
		{"program upgraded", func(r *rig) { r.file("programs/phoenix-ca", "program of a newer version") }, true, true, false},
		{"configuration", func(r *rig) { r.want(func(s *config.Stack) { s.Log.Level = "debug" }) }, true, true, false},
		{"identity rotated", func(r *rig) { r.file("identities/ca.nk", "another seed") }, true, true, false},
		{"unit gone", func(r *rig) { _ = r.host.Remove(r.t.Context(), "103-ca") }, true, false, false},
		{"unit stopped", func(r *rig) { _ = r.host.Stop(r.t.Context(), "103-ca") }, false, false, false},
		{"mode spoilt", func(r *rig) {
			if err := os.Chmod(r.Driver.Root(103)+blueprint.IdentityFile, 0o400); err != nil {
				r.t.Fatal(err)
			}
		}, true, false, false},
		{"curve key gone", func(r *rig) {
			if err := os.Remove(r.Driver.Root(103) + blueprint.CurveFile); err != nil {
				r.t.Fatal(err)
			}
		}, true, true, true},
		{"curve key broken", func(r *rig) { r.file("containers/103"+blueprint.CurveFile, "no seed") }, true, true, true},
		{"all of it gone", func(r *rig) {
			if err := os.RemoveAll(r.Driver.Root(103)); err != nil {
				r.t.Fatal(err)
			}
		}, true, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			first := r.made(r.begin("home-1"))
			digest := r.host.Unit("103-ca").Digest
			tt.change(r)
			second := r.made(r.begin("home-2"))
			if second.Changed != tt.changed {
				t.Errorf("changed %t, want %t", second.Changed, tt.changed)
			}
			if other := r.host.Unit("103-ca").Digest != digest; other != tt.restarts {
				t.Errorf("unit has another digest: %t, want %t", other, tt.restarts)
			}
			if other := second.Seen.Curve != first.Seen.Curve; other != tt.newCurve {
				t.Errorf("another curve key: %t, want %t", other, tt.newCurve)
			}
			if status, err := r.host.Status(t.Context(), "103-ca"); err != nil || status.State != "active" {
				t.Errorf("unit is %s, %v, want it active", status.State, err)
			}
		})
	}
}

func TestMakeTellsWhatIsMissing(t *testing.T) {
	for name, file := range map[string]string{"program": "programs/phoenix-ca", "identity": "identities/ca.nk", "bus": "bus-ca.pem"} {
		r := newRig(t)
		s := r.begin("home-1")
		if err := os.Remove(filepath.Join(r.home, file)); err != nil {
			t.Fatal(err)
		}
		_, err := r.Do(t.Context(), s, saga.Action{Kind: saga.Make, Container: 103})
		wantError(t, err, false, file)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want ErrNotExist", name, err)
		}
		if s, err := r.host.Status(t.Context(), "103-ca"); err == nil && s.State == "active" {
			t.Errorf("%s: the service was started", name)
		}
	}
}

func TestActionOnAContainerThatIsNone(t *testing.T) {
	r := newRig(t)
	_, err := r.Do(t.Context(), r.begin("home-1"), saga.Action{Kind: saga.Make, Container: 7})
	wantError(t, err, false, "container 7")
	_, err = r.Do(t.Context(), r.begin("home-1"), saga.Action{Kind: "dance", Container: 103})
	wantError(t, err, false, "no action")
}
