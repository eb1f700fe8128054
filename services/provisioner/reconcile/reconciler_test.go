package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/act"
	"github.com/phoenix-platform/phoenix/services/provisioner/internal/membucket"
	"github.com/phoenix-platform/phoenix/services/provisioner/ledger"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a world in which everything works, unless do says otherwise.
type world struct {
	ledger *ledger.Ledger
	wake   func()

	mu sync.Mutex
	// do may carry an action out in its own way; without a result the usual way
	// is gone.
	do    func(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error)
	done  []saga.Action
	said  []events.Payload
	under map[string]int // lane → actions under way
	most  int            // actions that were under way side by side
}

func (w *world) Do(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error) {
	do := w.enter(a)
	defer w.leave(a)
	if do != nil {
		if e, err := do(ctx, s, a); e != nil || err != nil {
			return e, err
		}
	}
	return w.usual(ctx, s, a)
}

// set lets actions that begin from now on be carried out by do.
func (w *world) set(do func(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.do = do
}

func (w *world) enter(a saga.Action) func(context.Context, saga.State, saga.Action) (saga.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, a)
	w.under[a.Lane()]++
	if w.under[a.Lane()] > 1 {
		panic("two actions in lane " + a.Lane())
	}
	w.most = max(w.most, len(w.under))
	return w.do
}

func (w *world) leave(a saga.Action) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.under, a.Lane())
}

func (w *world) usual(ctx context.Context, s saga.State, a saga.Action) (saga.Event, error) {
	switch a.Kind {
	case saga.Say:
		return saga.Said{Notice: a.Notice}, w.hear(ctx, s.Outbox[0].Payload())
	case saga.Configure:
		return saga.Configured{Run: a.Run, Driver: "test", Wishes: []saga.Wish{
			{ID: 103, Role: events.RoleCA}, {ID: 102, Role: events.RoleProxy}, {ID: 101, Role: events.RoleGateway},
		}}, nil
	case saga.Look:
		return saga.Found{Run: a.Run, ID: a.Container, Before: saga.Missing}, nil
	case saga.Make:
		return saga.ContainerMade{Run: a.Run, ID: a.Container, Changed: true}, nil
	case saga.Probe:
		return saga.ContainerAlive{Run: a.Run, ID: a.Container}, nil
	case saga.Register:
		return saga.ServicesRegistered{Run: a.Run}, nil
	case saga.See:
		return saga.StepSeen{Run: a.Run, Step: a.Step}, nil
	case saga.Undo:
		return saga.ContainerUndone{Run: a.Run, ID: a.Container, What: fmt.Sprint("container ", a.Container)}, nil
	case saga.Withdraw:
		return saga.ServicesWithdrawn{Run: a.Run}, nil
	case saga.List:
		return saga.ContainersListed{Run: a.Run, Containers: s.Containers}, nil
	case saga.Remove:
		return saga.ContainerRemoved{Run: a.Run, ID: a.Container, What: fmt.Sprint("container ", a.Container)}, nil
	case saga.WatchDoor:
		return saga.FrontDoorSeen{Run: a.Run}, nil
	default:
		return nil, nil
	}
}

// hear answers what is said on the bus, as the services would.
func (w *world) hear(ctx context.Context, p events.Payload) error {
	w.mu.Lock()
	w.said = append(w.said, p)
	sequence := uint64(len(w.said))
	w.mu.Unlock()
	answers := []saga.Event{}
	switch p := p.(type) {
	case events.ContainerRequested:
		answers = append(answers, saga.ContainerRequested{Run: p.Run, ID: p.ID})
	case events.ContainerReady:
		answers = append(answers,
			saga.CASaid{Fact: saga.Fact[events.CAReady]{Sequence: sequence}},
			saga.ProxySaid{Fact: saga.Fact[events.ProxyReady]{Sequence: sequence}},
			saga.GatewaySaid{Fact: saga.Fact[events.GatewayReady]{Sequence: sequence}})
	}
	for _, e := range answers {
		if _, err := w.ledger.Apply(ctx, "home", e); err != nil {
			return err
		}
	}
	w.wake()
	return nil
}

// last returns what was said last.
func (w *world) last() events.Payload {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.said) == 0 {
		return nil
	}
	return w.said[len(w.said)-1]
}

// count tells how often actions of a kind were carried out.
func (w *world) count(k saga.Kind) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, a := range w.done {
		if a.Kind == k {
			n++
		}
	}
	return n
}

// sideBySide tells how many actions were under way at once at most.
func (w *world) sideBySide() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most
}

// rig is a reconciler in a world.
type rig struct {
	t      *testing.T
	bucket *membucket.Bucket
	ledger *ledger.Ledger
	world  *world
	stop   func()
	wake   func()
}

func newRig(t *testing.T) *rig {
	b := membucket.New()
	l := ledger.New(b, saga.Rules{})
	return &rig{t: t, bucket: b, ledger: l, world: &world{ledger: l, under: map[string]int{}}}
}

// run starts a reconciler, as a started provisioner does.
func (r *rig) run() {
	rec := New("home", r.ledger, r.world, DefaultPace(), slog.New(slog.DiscardHandler))
	r.wake, r.world.wake = rec.Wake, rec.Wake
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- rec.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("run: %v", err)
		}
	}
}

func (r *rig) request(seq uint64, want events.Want) {
	r.t.Helper()
	r.apply(saga.Requested{Request: saga.Request{Run: events.RunID("home", seq), Sequence: seq, Want: want}})
	r.wake()
}

func (r *rig) apply(e saga.Event) {
	r.t.Helper()
	if _, err := r.ledger.Apply(context.Background(), "home", e); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) state() saga.State {
	r.t.Helper()
	s, err := r.ledger.Load(context.Background(), "home")
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func TestRunEndsReadyAndIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.world.set(func(_ context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			if a.Kind == saga.Make {
				time.Sleep(100 * time.Millisecond)
			}
			return nil, nil
		})
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		time.Sleep(time.Second)
		if _, ok := r.world.last().(events.StackReady); !ok {
			t.Fatalf("said last: %+v, want stack.ready", r.world.last())
		}
		if n := r.world.sideBySide(); n < 3 {
			t.Errorf("at most %d actions side by side, want the three containers", n)
		}
		time.Sleep(time.Minute)
		if n := r.world.count(saga.WatchDoor); n < 8 || n > 16 {
			t.Errorf("front door was looked at %d times in a minute, want about 12", n)
		}
	})
}

func TestFailingActionIsTriedAgainAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var failures atomic.Int32
		r.world.set(func(_ context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			if a.Kind == saga.Make && a.Container == 103 && failures.Add(1) <= 5 {
				return nil, errors.New("disk full")
			}
			return nil, nil
		})
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		synctest.Wait()
		if p := r.state().Public(); p.Step != "container ca" || p.Reason != "disk full" {
			t.Errorf("waiting at %q: %q, want container ca: disk full", p.Step, p.Reason)
		}
		time.Sleep(time.Second)
		if r.state().Phase != saga.Settled {
			t.Errorf("phase %s, want settled", r.state().Phase)
		}
	})
}

func TestDeadlineEndsTheRunWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.world.set(func(_ context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			if a.Kind == saga.See && a.Step == saga.StepProxy {
				return nil, errors.New("unknown authority")
			}
			return nil, nil
		})
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		time.Sleep(saga.DefaultStepLimit + time.Second)
		failed, ok := r.world.last().(events.StackFailed)
		if !ok || failed.Step != "proxy" || failed.Reason != "not done in time: unknown authority" || len(failed.Undone) != 3 {
			t.Errorf("said last: %+v, want stack.failed at the proxy with three containers undone", r.world.last())
		}
	})
}

func TestRefusalEndsTheRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.world.set(func(_ context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			if a.Kind == saga.Look && a.Container == 102 {
				return nil, fmt.Errorf("taken: %w", act.ErrRefused)
			}
			return nil, nil
		})
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		time.Sleep(time.Second)
		if failed, ok := r.world.last().(events.StackFailed); !ok || failed.Step != "container proxy" {
			t.Errorf("said last: %+v, want stack.failed at container proxy", r.world.last())
		}
	})
}

// TestRestartAtAnyPointResumes stops the reconciler after every single action,
// as a crash would, and starts another one.
func TestRestartAtAnyPointResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		r.request(1, events.Present)
		for n := 0; r.state().Phase != saga.Settled || len(r.state().Outbox) > 0; n++ {
			if n > 200 {
				t.Fatalf("no end: %v", r.state().Next())
			}
			var killed atomic.Bool
			r.world.set(func(ctx context.Context, _ saga.State, _ saga.Action) (saga.Event, error) {
				if killed.Swap(true) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return nil, nil
			})
			r.stop()
			r.run()
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
		}
		r.stop()
		ready := 0
		for _, p := range r.world.said {
			if p.Subject() == "stack.ready" {
				ready++
			}
		}
		if ready == 0 {
			t.Error("stack.ready was not said")
		}
	})
}

func TestTakenOverRunIsCalledBackFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var making atomic.Int32
		r.world.set(func(ctx context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			switch a.Kind {
			case saga.Make:
				making.Add(1)
				<-ctx.Done()
				time.Sleep(3 * time.Second) // what can't be interrupted
				making.Add(-1)
				return nil, ctx.Err()
			case saga.List:
				if making.Load() > 0 {
					t.Error("removal began while a container was being made")
				}
			}
			return nil, nil
		})
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		time.Sleep(time.Second)
		if n := making.Load(); n != 3 {
			t.Fatalf("%d containers are being made, want 3", n)
		}
		r.request(2, events.Absent)
		time.Sleep(10 * time.Second)
		if _, ok := r.world.last().(events.StackRemoved); !ok {
			t.Errorf("said last: %+v, want stack.removed", r.world.last())
		}
	})
}

func TestLostContainerIsRepairedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		time.Sleep(time.Second)
		var mended atomic.Bool
		before := r.world.count(saga.Make)
		r.world.set(func(_ context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			switch {
			case a.Container != 102 || mended.Load():
			case a.Kind == saga.WatchInterior:
				return saga.ContainerLost{Run: a.Run, ID: 102, Reason: "gone"}, nil
			case a.Kind == saga.Make:
				return nil, errors.New("no")
			}
			return nil, nil
		})
		time.Sleep(time.Hour)
		if p := r.state().Public(); p.State != events.StateDegraded {
			t.Errorf("state is %s, want degraded", p.State)
		}
		tries := r.world.count(saga.Make) - before
		if tries < 30 || tries > 180 {
			t.Errorf("%d attempts in an hour, want about one a minute", tries)
		}
		mended.Store(true)
		time.Sleep(2 * time.Minute)
		if p := r.state().Public(); p.State != events.StateReady {
			t.Errorf("state is %s, want ready again", p.State)
		}
	})
}

func TestLedgerThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.apply(saga.Requested{Request: saga.Request{Run: "home-1", Sequence: 1, Want: events.Present}})
		var up atomic.Bool
		r.bucket.Fail = func(string, string) error {
			if !up.Load() {
				return errors.New("no bus")
			}
			return nil
		}
		r.run()
		defer r.stop()
		time.Sleep(time.Minute)
		up.Store(true)
		time.Sleep(time.Minute)
		if r.state().Phase != saga.Settled {
			t.Errorf("phase %s, want settled", r.state().Phase)
		}
	})
}

func TestEndlessActionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.world.set(func(ctx context.Context, _ saga.State, a saga.Action) (saga.Event, error) {
			if a.Kind == saga.Configure {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, nil
		})
		r.run()
		defer r.stop()
		r.request(1, events.Present)
		time.Sleep(saga.DefaultStepLimit - time.Second)
		if n := r.world.count(saga.Configure); n != 2 {
			t.Errorf("tried %d times, want a second time after a minute", n)
		}
	})
}

func TestStacksRunWhatIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var made []string
		stacks := NewStacks(func(stack string) *Reconciler {
			made = append(made, stack)
			return New(stack, r.ledger, r.world, DefaultPace(), slog.New(slog.DiscardHandler))
		})
		r.world.wake = func() { stacks.Wake("home") }
		r.wake = r.world.wake
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		stacks.Wake("home") // before it runs
		go func() { done <- stacks.Run(ctx) }()
		r.request(1, events.Present)
		stacks.Wake("lab")
		time.Sleep(time.Second)
		if r.state().Phase != saga.Settled {
			t.Errorf("phase %s, want settled", r.state().Phase)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		slices.Sort(made)
		if !slices.Equal(made, []string{"home", "lab"}) {
			t.Errorf("reconcilers for %v, want home and lab once each", made)
		}
	})
}
