package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/act"
)

func TestStackFromNothingAndAgain(t *testing.T) {
	r := newRig(t)
	r.start()
	ready := end[events.StackReady](r, r.up())
	if ready.Changed != 3 || ready.Address != "https://gateway.phoenix.localhost:8443/" {
		t.Errorf("stack.ready says %+v, want 3 changes and the front door", ready)
	}
	if s := r.stack(); s.State != events.StateReady || s.Domain != "phoenix.localhost" {
		t.Errorf("state is %+v, want ready", s)
	}
	want := []string{"define 101-gateway", "define 102-proxyconf", "define 103-ca", "start 101-gateway", "start 102-proxyconf", "start 103-ca"}
	calls := r.host.Calls()
	slices.Sort(calls)
	if !slices.Equal(calls, want) {
		t.Errorf("the host was told %v, want %v", calls, want)
	}

	first := r.containers()
	again := end[events.StackReady](r, r.up())
	if again.Changed != 0 {
		t.Errorf("the second run changed %d", again.Changed)
	}
	if len(r.host.Calls()) != len(want) {
		t.Errorf("the host was told %v again", r.host.Calls()[len(want):])
	}
	for key, c := range r.containers() {
		if c.Run != first[key].Run || c.Curve != first[key].Curve || c.State != events.StateReady {
			t.Errorf("%s is %+v, and was %+v", key, c, first[key])
		}
	}
	if n := r.count("container.ready"); n != 6 {
		t.Errorf("container.ready was said %d times, want once per container and run", n)
	}
}

func TestContainerReadyNamesTheCurveKey(t *testing.T) {
	r := newRig(t)
	r.start()
	end[events.StackReady](r, r.up())
	recorded := r.containers()
	for _, m := range r.history() {
		if m.subject != "container.ready" {
			continue
		}
		var c events.ContainerReady
		if err := json.Unmarshal(m.data, &c); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(c.Curve, "X") || c.Curve != recorded["container."+strings.TrimPrefix(c.Address, block+".")].Curve {
			t.Errorf("container %d has curve key %q, recorded is %v", c.ID, c.Curve, recorded)
		}
	}
}

func TestAbsentKeepsDataUnlessPurged(t *testing.T) {
	r := newRig(t)
	r.configure("home", func(s *config.Stack) {
		s.Services = []config.Service{{Name: "portainer", URL: "http://127.17.3.200:10001"}}
	})
	r.start()
	end[events.StackReady](r, r.up())
	curve := r.containers()["container.101"].Curve

	removed := end[events.StackRemoved](r, r.request(events.StackRequested{Stack: "home", Want: events.Absent}))
	if len(removed.Removed) != 3 || r.stack().State != events.StateAbsent {
		t.Errorf("removed %v, state %s", removed.Removed, r.stack().State)
	}
	if list, err := r.host.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("units are left: %v, %v", list, err)
	}
	ready := end[events.StackReady](r, r.up())
	if ready.Changed != 3 || r.containers()["container.101"].Curve != curve {
		t.Errorf("changed %d, another curve key %t; want the three containers back as they were", ready.Changed, r.containers()["container.101"].Curve != curve)
	}
	if n := r.count("service.registered.provisioner"); n != 1 {
		t.Errorf("the service was registered %d times, want once", n)
	}

	end[events.StackRemoved](r, r.request(events.StackRequested{Stack: "home", Want: events.Absent, Purge: true}))
	if left := r.folders(); len(left) != 0 || len(r.containers()) != 0 {
		t.Errorf("left are the folders %v and the records %v", left, r.containers())
	}
	if n := r.count("service.removed.provisioner"); n != 1 {
		t.Errorf("the service was removed %d times, want once", n)
	}
}

func TestConfiguredServicesFollowTheConfiguration(t *testing.T) {
	r := newRig(t)
	services := func(names ...string) {
		r.configure("home", func(s *config.Stack) {
			for _, n := range names {
				s.Services = append(s.Services, config.Service{Name: n, URL: "http://127.17.3.200:10001"})
			}
		})
	}
	services("portainer", "grafana")
	r.start()
	if ready := end[events.StackReady](r, r.up()); ready.Changed != 5 {
		t.Errorf("%d changes, want three containers and two services", ready.Changed)
	}
	services("portainer")
	if ready := end[events.StackReady](r, r.up()); ready.Changed != 1 || r.count("service.removed.provisioner") != 1 {
		t.Errorf("%d changes and %d removals, want one", ready.Changed, r.count("service.removed.provisioner"))
	}
	if _, err := r.ops.Publish(t.Context(), events.ServiceRemoved{Name: "portainer"}); err != nil {
		t.Fatal(err)
	}
	registry := r.ops.Bucket(events.BucketProxyconf)
	r.eventually("removal by the operator", func() bool {
		_, _, err := registry.Get(t.Context(), "service.portainer")
		return errors.Is(err, events.ErrNotFound)
	})
	if ready := end[events.StackReady](r, r.up()); ready.Changed != 1 {
		t.Errorf("%d changes, want the service back", ready.Changed)
	}
}

func TestFailedRunLeavesNothingOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.configure("home", func(s *config.Stack) {
		s.Deadline.Step = config.Duration(time.Second)
		s.Services = []config.Service{{Name: "portainer", URL: "http://127.17.3.200:10001"}}
	})
	r.silent.Store(true)
	r.start()
	failed := end[events.StackFailed](r, r.up())
	if failed.Step != "ca" || failed.Reason != "not done in time: ca.ready did not come" || len(failed.Undone) != 4 {
		t.Errorf("stack.failed says %+v, want the step ca and all undone", failed)
	}
	if left := r.folders(); len(left) != 0 || r.count("service.removed.provisioner") != 1 || r.count("container.removed") != 3 {
		t.Errorf("left are %v; %d services and %d containers were removed", left, r.count("service.removed.provisioner"), r.count("container.removed"))
	}
	r.silent.Store(false)
	end[events.StackReady](r, r.up())
}

func TestFailedRunLeavesWhatWasThereBefore(t *testing.T) {
	r := newRig(t)
	r.start()
	end[events.StackReady](r, r.up())
	before := len(r.host.Calls())
	r.configure("home", func(s *config.Stack) { s.Deadline.Step = config.Duration(time.Second) })
	r.shut.Store(true)
	failed := end[events.StackFailed](r, r.up())
	if failed.Step != "ca" || len(failed.Undone) != 0 || len(r.folders()) != 3 || len(r.host.Calls()) != before {
		t.Errorf("stack.failed says %+v, left are %v, the host was told %v", failed, r.folders(), r.host.Calls()[before:])
	}
}

func TestForeignContainerFailsTheRunAtOnce(t *testing.T) {
	r := newRig(t)
	r.file("containers/102/precious", []byte("data"))
	r.start()
	failed := end[events.StackFailed](r, r.up())
	if failed.Step != "container proxy" || !strings.Contains(failed.Reason, "container 102 is taken and was not touched") {
		t.Errorf("stack.failed says %+v", failed)
	}
	if left := r.folders(); !slices.Equal(left, []string{"102"}) {
		t.Errorf("left are %v, want what was there before", left)
	}
	if raw, err := os.ReadFile(filepath.Join(r.home, "containers/102/precious")); err != nil || string(raw) != "data" {
		t.Errorf("what is foreign was touched: %q, %v", raw, err)
	}
}

func TestBrokenConfigurationFailsTheRun(t *testing.T) {
	r := newRig(t)
	r.configure("home", func(s *config.Stack) { s.Domain = "not a domain" })
	r.start()
	failed := end[events.StackFailed](r, r.up())
	if failed.Step != "configuration" || !strings.Contains(failed.Reason, "domain") {
		t.Errorf("stack.failed says %+v", failed)
	}
}

func TestRequestsAtOnceAllEnd(t *testing.T) {
	r := newRig(t)
	first, second := r.up(), r.up()
	r.start()
	end[events.StackReady](r, first)
	end[events.StackReady](r, second)

	r.silent.Store(true)
	going := r.up()
	absent := r.request(events.StackRequested{Stack: "home", Want: events.Absent})
	back := r.up()
	r.silent.Store(false)
	r.eventually("the end of all runs", func() bool {
		ended := 0
		for _, m := range r.history() {
			for _, run := range []string{going, absent, back} {
				if strings.HasPrefix(m.subject, "stack.") && strings.Contains(string(m.data), `"run":"`+run+`"`) {
					ended++
				}
			}
		}
		return ended == 3
	})
	end[events.StackReady](r, back)
}

// TestRestartsResume stops the provisioner at many moments of many runs, and
// starts another one that knows nothing but what is stored.
func TestRestartsResume(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n := range 6 {
		want := events.StackRequested{Stack: "home"}
		if n%3 == 2 {
			want = events.StackRequested{Stack: "home", Want: events.Absent, Purge: n%2 == 0}
		}
		run := r.request(want)
		for _, moments := range []int{9, 27} {
			r.start()
			<-time.After(time.Duration(moments*(n+1)) * time.Millisecond / 2)
			r.stop()
		}
		r.start()
		if want.Want == events.Absent {
			end[events.StackRemoved](r, run)
		} else {
			end[events.StackReady](r, run)
		}
		r.stop()
	}
	for _, subject := range []string{"stack.ready", "stack.removed"} {
		seen := map[string]bool{}
		for _, m := range r.history() {
			if m.subject == subject && seen[string(m.data)] {
				t.Errorf("said twice: %s %s", subject, m.data)
			}
			seen[string(m.data)] = true
		}
	}
}

func TestBusRestartLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	run := r.up()
	r.bus.Restart(t)
	end[events.StackReady](r, run)
}

func TestDriverThatStumblesIsTriedAgain(t *testing.T) {
	r := newRig(t)
	failures := make(chan error, 20)
	for range cap(failures) {
		failures <- errors.New("disk full")
	}
	close(failures)
	r.world = func(w *act.World) {
		w.Driver = stumbling{w.Driver, func() error { return <-failures }}
	}
	r.start()
	end[events.StackReady](r, r.up())
}

func TestInvalidRequestsAreDeadLetters(t *testing.T) {
	r := newRig(t)
	r.start()
	for _, tt := range []struct {
		payload events.StackRequested
		reason  string
	}{
		{events.StackRequested{Stack: "nobody"}, "is not known"},
		{events.StackRequested{Stack: "../x"}, "stack"},
		{events.StackRequested{}, "stack"},
		{events.StackRequested{Stack: "home", Want: "maybe"}, "want is"},
		{events.StackRequested{Stack: "home", Purge: true}, "purge"},
	} {
		ack, err := r.ops.Publish(t.Context(), tt.payload)
		if err != nil {
			t.Fatal(err)
		}
		r.letter(ack.Sequence, tt.reason)
	}
	end[events.StackReady](r, r.up())
}

func TestAnotherStackNeedsItsConfiguration(t *testing.T) {
	r := newRig(t)
	r.configure("lab", func(s *config.Stack) { s.Domain = "lab.test" })
	r.start()
	ready := end[events.StackReady](r, r.request(events.StackRequested{Stack: "lab"}))
	if ready.Address != "https://gateway.lab.test:8443/" {
		t.Errorf("stack.ready says %+v", ready)
	}
	failed := end[events.StackFailed](r, r.up())
	if !strings.Contains(failed.Reason, "taken") {
		t.Errorf("home failed for %q, want the containers of lab in its way", failed.Reason)
	}
}
