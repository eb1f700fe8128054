package book_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

// bucket is a bucket in memory whose writes can fail.
type bucket struct {
	values map[string][]byte
	broken bool
}

var errBroken = errors.New("the bus is away")

func (b *bucket) Put(_ context.Context, key string, value []byte) (uint64, error) {
	if b.broken {
		return 0, errBroken
	}
	b.values[key] = slices.Clone(value)
	return 1, nil
}

func (b *bucket) Delete(_ context.Context, key string) error {
	if b.broken {
		return errBroken
	}
	delete(b.values, key)
	return nil
}

func (b *bucket) List(_ context.Context, prefix string) (map[string][]byte, error) {
	if b.broken {
		return nil, errBroken
	}
	out := maps.Clone(b.values)
	maps.DeleteFunc(out, func(key string, _ []byte) bool { return !strings.HasPrefix(key, prefix) })
	return out, nil
}

var rules = registry.Rules{Domain: "phoenix.localhost", Backends: name.Policy{}}

func open(t *testing.T, bucket *bucket) *book.Book {
	t.Helper()
	b, err := book.Open(t.Context(), bucket, rules)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newBucket() *bucket { return &bucket{values: map[string][]byte{}} }

func registered(sequence uint64, name string) events.Event[events.ServiceRegistered] {
	return events.Event[events.ServiceRegistered]{
		Meta: events.Meta{Speaker: events.Ops, Sequence: sequence},
		Data: events.ServiceRegistered{Name: name, URL: "http://10.0.0.5", Hosts: []string{"x.phoenix.localhost"}},
	}
}

func TestEverythingIsThereAgain(t *testing.T) {
	store, ctx := newBucket(), t.Context()
	b := open(t, store)
	origin := book.Origin{Sequence: 7, Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	facts := book.Facts{
		CA:       book.CA{Origin: origin, CAReady: events.CAReady{Root: "PEM", Duration: 3600}},
		Proxy:    book.Container{Origin: origin, ID: 102, Curve: "X1"},
		Gateway:  book.Container{Origin: origin, ID: 101, Curve: "X2"},
		Answered: book.Answered{Proxy: 7, CA: 7, Serial: "0a"},
		Applied:  book.Applied{Revision: "abc"},
	}
	state := events.ServiceState{Name: "a", Hosts: []string{"x"}, State: events.StateReady}
	handed := book.Handed{Host: "x.phoenix.localhost", Service: "a", Serial: "0a", Curve: "X2", Sequence: 9}
	found := book.Backend{Sequence: 3, Servers: []string{"http://10.0.0.5:80"}}
	if err := errors.Join(
		b.SetCA(ctx, facts.CA), b.SetProxy(ctx, facts.Proxy), b.SetGateway(ctx, facts.Gateway), b.SetAnswered(ctx, facts.Answered),
		b.SetApplied(ctx, facts.Applied), b.SetState(ctx, state), b.SetHanded(ctx, handed), b.SetBackend(ctx, "a", found), b.Register(ctx, registered(3, "a")),
	); err != nil {
		t.Fatal(err)
	}
	for what, now := range map[string]*book.Book{"at once": b, "loaded": open(t, store)} {
		if now.Facts() != facts {
			t.Errorf("%s: facts %+v", what, now.Facts())
		}
		if s := now.Services(); len(s) != 1 || s[0].Sequence != 3 {
			t.Errorf("%s: services %+v", what, s)
		}
		if now.States()["a"].State != events.StateReady || now.Handed()[handed.Host] != handed || len(now.Backends()["a"].Servers) != 1 {
			t.Errorf("%s: states %+v, handed %+v, backends %+v", what, now.States(), now.Handed(), now.Backends())
		}
	}
	if err := errors.Join(b.RemoveState(ctx, "a"), b.RemoveHanded(ctx, handed.Host), b.RemoveBackend(ctx, "a")); err != nil {
		t.Fatal(err)
	}
	if b = open(t, store); len(b.States())+len(b.Handed())+len(b.Backends()) != 0 {
		t.Error("what was forgotten is there again")
	}
}

func TestOlderFactsAreIgnored(t *testing.T) {
	b, ctx := open(t, newBucket()), t.Context()
	at := func(sequence uint64) book.Origin { return book.Origin{Sequence: sequence} }
	for _, sequence := range []uint64{5, 4} {
		if err := errors.Join(
			b.SetCA(ctx, book.CA{Origin: at(sequence)}), b.SetProxy(ctx, book.Container{Origin: at(sequence)}), b.SetGateway(ctx, book.Container{Origin: at(sequence)}),
		); err != nil {
			t.Fatal(err)
		}
	}
	if f := b.Facts(); f.CA.Sequence != 5 || f.Proxy.Sequence != 5 || f.Gateway.Sequence != 5 {
		t.Errorf("facts %+v", f)
	}
}

func TestBrokenBucketLosesNoClaim(t *testing.T) {
	store, ctx := newBucket(), t.Context()
	b := open(t, store)
	store.broken = true
	if err := b.Register(ctx, registered(3, "a")); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	store.broken = false
	if err := b.Register(ctx, registered(3, "a")); err != nil { // delivered again
		t.Fatal(err)
	}
	if s := open(t, store).Services(); len(s) != 1 {
		t.Errorf("services %+v", s)
	}
	if _, err := book.Open(ctx, &bucket{broken: true}, rules); !errors.Is(err, errBroken) {
		t.Errorf("opened a broken bucket: %v", err)
	}
}

func TestRefusedClaimsAreRemembered(t *testing.T) {
	store, ctx := newBucket(), t.Context()
	b := open(t, store)
	if err := b.Register(ctx, registered(3, "a")); err != nil {
		t.Fatal(err)
	}
	if err := b.Register(ctx, registered(4, "b")); !errors.Is(err, registry.ErrHeld) {
		t.Errorf("second on a host: %v", err)
	}
	b = open(t, store)
	if err := b.Refused("b"); !errors.Is(err, registry.ErrHeld) {
		t.Errorf("refused: %v", err)
	}
	if err := b.Remove(ctx, events.Event[events.ServiceRemoved]{Meta: events.Meta{Speaker: events.Ops, Sequence: 5}, Data: events.ServiceRemoved{Name: "a"}}); err != nil {
		t.Fatal(err)
	}
	if s := b.Services(); len(s) != 0 {
		t.Errorf("services %+v", s)
	}
}

func TestBellsRing(t *testing.T) {
	b, ctx := open(t, newBucket()), t.Context()
	wishes, reports := 0, 0
	b.Notify(func() { wishes++ })
	b.NotifyReports(func() { reports++ })
	if err := errors.Join(b.SetCA(ctx, book.CA{Origin: book.Origin{Sequence: 1}}), b.Register(ctx, registered(3, "a")), b.Register(ctx, registered(3, "a")), b.SetState(ctx, events.ServiceState{Name: "a"})); err != nil {
		t.Fatal(err)
	}
	b.Report(events.Event[events.GatewayApplied]{})
	if wishes != 2 || reports != 1 {
		t.Errorf("rung %d and %d times, want 2 and 1", wishes, reports)
	}
}

func TestReportAsksForWhatIsLacking(t *testing.T) {
	b, ctx := open(t, newBucket()), t.Context()
	for _, h := range []book.Handed{{Host: "a", Serial: "01", Sequence: 10}, {Host: "b", Serial: "02", Sequence: 10}, {Host: "c", Serial: "03", Sequence: 30}} {
		if err := b.SetHanded(ctx, h); err != nil {
			t.Fatal(err)
		}
	}
	b.Report(events.Event[events.GatewayApplied]{Meta: events.Meta{Sequence: 20}, Data: events.GatewayApplied{
		Hosts: map[string]string{"a": "01", "b": "01", "c": "01", "d": "04"}, Missing: []string{"a", "c"},
	}})
	got := slices.Sorted(maps.Keys(b.Again()))
	if want := []string{"a", "b", "d"}; !slices.Equal(got, want) {
		t.Errorf("again %v, want %v: c was handed over after the report", got, want)
	}
	if err := errors.Join(b.SetHanded(ctx, book.Handed{Host: "a", Serial: "01", Sequence: 21}), b.RemoveHanded(ctx, "d")); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(b.Again())); !slices.Equal(got, []string{"b"}) {
		t.Errorf("again %v, want b", got)
	}
}
