package ledger_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger/ledgertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, b *ledgertest.Bucket) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func from(sequence uint64) ledger.Origin { return ledger.Origin{Sequence: sequence} }

func TestEverythingIsThereAfterARestart(t *testing.T) {
	b := ledgertest.NewBucket()
	l := open(t, b)
	end := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	check(t, l.SetContainer(t.Context(), ledger.Container{Origin: from(1), Run: "home-1"}))
	check(t, l.SetProxy(t.Context(), ledger.Proxy{Origin: from(2), HTTPS: "127.0.0.1:1", Curve: "X"}))
	check(t, l.SetRoot(t.Context(), ledger.Root{Origin: from(3), PEM: "root"}))
	check(t, l.SetUpstream(t.Context(), ledger.Upstream{Origin: from(4), Address: "127.0.0.1:2"}))
	check(t, l.SetAnswer(t.Context(), ledger.Answer{Origin: from(5)}))
	check(t, l.SetWish(t.Context(), ledger.Wish{Origin: from(6), Host: "a.test", Serial: "0a", Said: end}))
	check(t, l.SetWish(t.Context(), ledger.Wish{Origin: from(7), Host: "b.test", Withdrawn: true}))
	check(t, l.SetHost(t.Context(), events.GatewayHost{Host: "a.test", Serial: "0a", NotAfter: end, State: events.StateReady}))
	check(t, l.SetHost(t.Context(), events.GatewayHost{Host: "b.test"}))
	check(t, l.RemoveHost(t.Context(), "b.test"))
	want := l.State()
	if len(want.Wishes) != 2 || len(want.Hosts) != 1 || want.Answer.Sequence != 5 {
		t.Errorf("got %+v", want)
	}
	if got := open(t, b).State(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart: got %+v, want %+v", got, want)
	}
}

func TestOlderMessagesChangeNothing(t *testing.T) {
	l := open(t, ledgertest.NewBucket())
	for _, sequence := range []uint64{5, 4, 5, 1} {
		check(t, l.SetRoot(t.Context(), ledger.Root{Origin: from(sequence), PEM: fmt.Sprint("root ", sequence)}))
		check(t, l.SetWish(t.Context(), ledger.Wish{Origin: from(sequence), Host: "a.test", Withdrawn: sequence == 5}))
	}
	s := l.State()
	if s.Root.Sequence != 5 || s.Root.PEM != "root 5" || !s.Wishes["a.test"].Withdrawn {
		t.Errorf("got %+v", s)
	}
}

func TestWhatIsKnownIsNotWritten(t *testing.T) {
	b := ledgertest.NewBucket()
	l := open(t, b)
	h := events.GatewayHost{Host: "a.test", NotAfter: time.Now().UTC().Truncate(time.Second), State: events.StateReady}
	check(t, l.SetHost(t.Context(), h))
	writes := b.Writes()
	check(t, l.SetHost(t.Context(), h))
	check(t, open(t, b).SetHost(t.Context(), h))
	check(t, l.RemoveHost(t.Context(), "b.test"))
	if b.Writes() != writes {
		t.Errorf("%d writes too many", b.Writes()-writes)
	}
	h.State = events.StateDegraded
	check(t, l.SetHost(t.Context(), h))
	if b.Writes() != writes+1 {
		t.Error("a change was not written")
	}
}

func TestFailedWritesAreNotKnown(t *testing.T) {
	b := ledgertest.NewBucket()
	l := open(t, b)
	down := errors.New("down")
	b.Fail(down)
	for what, err := range map[string]error{
		"root":   l.SetRoot(t.Context(), ledger.Root{Origin: from(1), PEM: "root"}),
		"wish":   l.SetWish(t.Context(), ledger.Wish{Origin: from(1), Host: "a.test"}),
		"host":   l.SetHost(t.Context(), events.GatewayHost{Host: "a.test"}),
		"remove": l.RemoveHost(t.Context(), "a.test"),
	} {
		if what != "remove" && !errors.Is(err, down) {
			t.Errorf("%s: got %v, want %v", what, err, down)
		}
	}
	if s := l.State(); s.Root.Sequence != 0 || len(s.Wishes) != 0 || len(s.Hosts) != 0 {
		t.Errorf("got %+v", s)
	}
	if _, err := ledger.Open(t.Context(), b); !errors.Is(err, down) {
		t.Errorf("Open: got %v, want %v", err, down)
	}
	select {
	case <-l.Changed():
		t.Error("a change was told")
	default:
	}
	b.Fail(nil)
	check(t, l.SetWish(t.Context(), ledger.Wish{Origin: from(1), Host: "a.test"}))
	check(t, l.SetWish(t.Context(), ledger.Wish{Origin: from(2), Host: "a.test"}))
	<-l.Changed()
}

func TestBrokenRecordIsAnError(t *testing.T) {
	for _, key := range []string{"root", "wish.a.test", "host.a.test"} {
		b := ledgertest.NewBucket()
		if _, err := b.Put(t.Context(), key, []byte("{")); err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Open(t.Context(), b); err == nil {
			t.Errorf("%s: got no error", key)
		}
	}
	b := ledgertest.NewBucket()
	if _, err := b.Put(t.Context(), "from-a-later-version", []byte("{")); err != nil {
		t.Fatal(err)
	}
	open(t, b)
}

func TestTraceIsKept(t *testing.T) {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	o := ledger.OriginOf(trace.ContextWithSpanContext(t.Context(), span), events.Meta{Sequence: 7})
	if o.Sequence != 7 || o.Trace == "" {
		t.Fatalf("got %+v", o)
	}
	if got := trace.SpanContextFromContext(o.Context(t.Context())); !got.Equal(span) {
		t.Errorf("got %v, want %v", got, span)
	}
	if got := trace.SpanContextFromContext(ledger.Origin{}.Context(t.Context())); got.IsValid() {
		t.Errorf("without a trace: got %v", got)
	}
}
