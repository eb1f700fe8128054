package book_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/ca/book"
)

const domain = "phoenix.localhost"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bucket is a bucket in memory that can fail.
type bucket struct {
	mu     sync.Mutex
	values map[string][]byte
	fails  error
}

func newBucket() *bucket { return &bucket{values: map[string][]byte{}} }

func (b *bucket) Get(_ context.Context, key string) (value []byte, revision uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.values[key]
	if !ok {
		return nil, 0, events.ErrNotFound
	}
	return v, 1, b.fails
}

func (b *bucket) Put(_ context.Context, key string, value []byte) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails != nil {
		return 0, b.fails
	}
	b.values[key] = value
	return 1, nil
}

func (b *bucket) List(_ context.Context, prefix string) (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := maps.Clone(b.values)
	maps.DeleteFunc(out, func(key string, _ []byte) bool { return !strings.HasPrefix(key, prefix) })
	return out, b.fails
}

func open(t *testing.T, b *bucket) *book.Book {
	t.Helper()
	out, err := book.Open(t.Context(), b, registry.Rules{Domain: domain})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func registration(seq uint64, name string) events.Event[events.ServiceRegistered] {
	return events.Event[events.ServiceRegistered]{
		Meta: events.Meta{Sequence: seq, Speaker: events.Ops},
		Data: events.ServiceRegistered{Name: name, URL: "http://10.0.0.5:3000"},
	}
}

func removal(seq uint64, name string) events.Event[events.ServiceRemoved] {
	return events.Event[events.ServiceRemoved]{Meta: events.Meta{Sequence: seq, Speaker: events.Ops}, Data: events.ServiceRemoved{Name: name}}
}

func TestClaimsSurviveRestart(t *testing.T) {
	store := newBucket()
	b := open(t, store)
	changed := b.ClaimsChanged()
	if refusal, err := b.Register(t.Context(), registration(5, "grafana")); refusal != nil || err != nil {
		t.Fatal(refusal, err)
	}
	select {
	case <-changed:
	default:
		t.Error("the change was not told")
	}
	b = open(t, store)
	if s, ok := b.Claimed("grafana." + domain); !ok || s.Name != "grafana" || len(b.Services()) != 1 {
		t.Errorf("after a restart: %+v, %v", s, ok)
	}
	if refusal, err := b.Remove(t.Context(), removal(7, "grafana")); refusal != nil || err != nil {
		t.Fatal(refusal, err)
	}
	b = open(t, store)
	if refusal, err := b.Register(t.Context(), registration(6, "grafana")); refusal != nil || err != nil {
		t.Fatal(refusal, err)
	}
	if s, ok := b.Claimed("grafana." + domain); ok {
		t.Errorf("an older registration won: %+v", s)
	}
}

func TestRefusalIsNotFailure(t *testing.T) {
	store := newBucket()
	b := open(t, store)
	refusal, err := b.Register(t.Context(), registration(1, "ca"))
	if !errors.Is(refusal, registry.ErrInvalid) || err != nil {
		t.Errorf("got %v, %v", refusal, err)
	}
	store.fails = errors.New("no space")
	refusal, err = b.Register(t.Context(), registration(2, "grafana"))
	if refusal != nil || !errors.Is(err, store.fails) {
		t.Errorf("got %v, %v", refusal, err)
	}
	store.fails = nil
	if refusal, err = b.Register(t.Context(), registration(2, "grafana")); refusal != nil || err != nil {
		t.Errorf("again: %v, %v", refusal, err)
	}
	if _, ok := open(t, store).Claimed("grafana." + domain); !ok {
		t.Error("it is not stored")
	}
}

func TestFacts(t *testing.T) {
	store := newBucket()
	b := open(t, store)
	c, p, changed := b.Facts()
	if c.Known() || p.Known() {
		t.Errorf("known from the start: %+v, %+v", c, p)
	}
	for _, seq := range []uint64{4, 3, 4} { // older ones and repeated ones change nothing
		if err := b.SetContainer(t.Context(), book.Container{Origin: book.Origin{Sequence: seq}, Run: "home-2"}); err != nil {
			t.Fatal(err)
		}
		if err := b.SetProxy(t.Context(), book.Proxy{Origin: book.Origin{Sequence: seq + 1}, ACME: "10.0.0.1:8443"}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-changed:
	default:
		t.Error("the change was not told")
	}
	c, p, _ = open(t, store).Facts()
	if c.Sequence != 4 || c.Run != "home-2" || p.Sequence != 5 || p.ACME != "10.0.0.1:8443" {
		t.Errorf("got %+v, %+v", c, p)
	}
}

func TestAnswerKeepsSince(t *testing.T) {
	store := newBucket()
	b := open(t, store)
	ready := events.CAReady{URL: "https://10.0.0.3:9000", Duration: 86400}
	first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, now := range []time.Time{first, first.Add(time.Hour)} {
		if err := b.SetAnswer(t.Context(), book.Answer{Sequence: uint64(i + 1), CAReady: ready}, now); err != nil {
			t.Fatal(err)
		}
	}
	var state events.CAState
	if err := json.Unmarshal(store.values["ca"], &state); err != nil {
		t.Fatal(err)
	}
	if state.CAReady != ready || !state.Since.Equal(first) {
		t.Errorf("state %+v", state)
	}
	if got := open(t, store).Answer(); got.Sequence != 2 || got.CAReady != ready {
		t.Errorf("answer %+v", got)
	}
}

func TestIssued(t *testing.T) {
	store := newBucket()
	b := open(t, store)
	if known, err := b.Issued(t.Context(), "0a"); known || err != nil {
		t.Errorf("got %v, %v", known, err)
	}
	if err := b.SetIssued(t.Context(), events.CertState{Serial: "0a"}); err != nil {
		t.Fatal(err)
	}
	if known, err := b.Issued(t.Context(), "0a"); !known || err != nil {
		t.Errorf("got %v, %v", known, err)
	}
	all, err := b.AllIssued(t.Context())
	if _, ok := all["0a"]; !ok || len(all) != 1 || err != nil {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestOpenIsCompleteOrFails(t *testing.T) {
	store := newBucket()
	store.values["container"] = []byte("{")
	if _, err := book.Open(t.Context(), store, registry.Rules{Domain: domain}); err == nil {
		t.Error("a broken record was passed over")
	}
}
