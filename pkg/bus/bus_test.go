package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestPublishAndConsume(t *testing.T) {
	srv := bustest.Start(t)
	got := make(chan events.Event[events.CAReady], 4)
	bustest.Run(t, events.On(srv.Connect(t, events.Proxyconf), func(_ context.Context, e events.Event[events.CAReady]) error {
		got <- e
		return nil
	}))
	ca := srv.Connect(t, events.CA)
	ctx := within(t, 10*time.Second)
	ack, err := ca.Publish(ctx, events.CAReady{URL: "https://127.0.1.103:9000"}, events.WithKey("one"))
	if err != nil {
		t.Fatal(err)
	}
	e := <-got
	if e.Data.URL != "https://127.0.1.103:9000" || e.Speaker != events.CA || e.Sequence != ack.Sequence || e.Deliveries != 1 {
		t.Errorf("got %+v", e)
	}
	again, err := ca.Publish(ctx, events.CAReady{URL: "https://127.0.1.103:9000"}, events.WithKey("one"))
	if err != nil || !again.Duplicate || again.Sequence != ack.Sequence {
		t.Errorf("the same fact again: %+v, %v; want a duplicate of %d", again, err, ack.Sequence)
	}
}

// A speaker that guessed another's message id can't suppress its fact.
func TestSuppressionByMessageID(t *testing.T) {
	srv := bustest.Start(t)
	ctx := within(t, 10*time.Second)
	gateway := srv.Connect(t, events.Gateway)
	msg := nats.NewMsg("gateway.ready")
	msg.Header.Set(jetstream.MsgIDHeader, "ca/ca.ready/one")
	msg.Data = []byte(`{}`)
	if _, err := gateway.JetStream().PublishMsg(ctx, msg); err != nil {
		t.Fatal(err)
	}
	ack, err := srv.Connect(t, events.CA).Publish(ctx, events.CAReady{URL: "u"}, events.WithKey("one"))
	if err != nil || ack.Duplicate {
		t.Errorf("got %+v, %v; want a message of its own", ack, err)
	}
}

func TestPersonsMessageNeedsNoHeaders(t *testing.T) {
	srv := bustest.Start(t)
	got := make(chan events.Event[events.ServiceRegistered], 1)
	bustest.Run(t, events.On(srv.Connect(t, events.Proxyconf), func(_ context.Context, e events.Event[events.ServiceRegistered]) error {
		got <- e
		return nil
	}))
	ops := srv.Connect(t, events.Ops)
	ack, err := ops.JetStream().Publish(within(t, 10*time.Second), "service.registered", []byte(`{"name":"grafana","url":"http://127.0.0.1:3000","colour":"red"}`))
	if err != nil {
		t.Fatal(err)
	}
	e := <-got
	if e.Data.Name != "grafana" || e.Speaker != events.Ops || e.Source != "/ops" || e.ID != fmt.Sprintf("PHOENIX-%d", ack.Sequence) || e.Time.IsZero() {
		t.Errorf("got %+v", e)
	}
}

func TestDeadLetters(t *testing.T) {
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	cases := []struct{ name, body, typ, want string }{
		{"broken", `{"name":`, "", "payload is not valid"},
		{"wrong type", `{"name":7}`, "", "payload is not valid"},
		{"not an object", `"grafana"`, "", "payload is not valid"},
		{"empty", ``, "", "payload is not valid"},
		{"deep", deep, "", "payload is not valid"},
		{"deep inside", `{"x":` + deep + `}`, "", "payload is not valid"},
		{"200 KiB", `{"name":"` + strings.Repeat("x", 200<<10), "", "payload is not valid"},
		{"future version", `{}`, "phoenix.service.registered.v2", "version 2 is not known"},
		{"other subject's type", `{}`, "phoenix.ca.ready.v1", "is not that of service.registered"},
		{"refused by the handler", `{"name":"no"}`, "", "the name no is not allowed"},
	}
	srv := bustest.Start(t)
	handled := make(chan string, 1)
	bustest.Run(t, events.On(srv.Connect(t, events.Proxyconf), func(_ context.Context, e events.Event[events.ServiceRegistered]) error {
		if e.Data.Name == "no" {
			return events.Invalidf("the name %s is not allowed", e.Data.Name)
		}
		handled <- e.Data.Name
		return nil
	}), events.On(srv.Connect(t, events.CA), func(context.Context, events.Event[events.ServiceRegistered]) error { return nil }))
	ops := srv.Connect(t, events.Ops)
	ctx := within(t, 30*time.Second)
	sequences := map[uint64]string{}
	for _, c := range cases {
		msg := nats.NewMsg("service.registered")
		msg.Data = []byte(c.body)
		if c.typ != "" {
			msg.Header.Set("ce-type", c.typ)
		}
		ack, err := ops.JetStream().PublishMsg(ctx, msg)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		sequences[ack.Sequence] = c.want
	}
	if _, err := ops.JetStream().Publish(ctx, "service.registered", []byte(`{"name":"fine"}`)); err != nil {
		t.Fatal(err)
	}
	if name := <-handled; name != "fine" {
		t.Errorf("handled %q", name)
	}
	letters, err := ops.DeadLetters(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(letters) != len(cases) {
		t.Errorf("%d dead letters; want %d", len(letters), len(cases))
	}
	for _, l := range letters {
		if !strings.Contains(l.Reason, sequences[l.Sequence]) || sequences[l.Sequence] == "" {
			t.Errorf("%s: reason %q; want %q", l.ID, l.Reason, sequences[l.Sequence])
		}
		if l.Subject != "service.registered.ops" || l.Consumer != "proxyconf_service-registered" || len(l.Reason) > 1<<10 {
			t.Errorf("got %+v", l)
		}
	}
}

func TestOverTheSizeLimitThePublisherIsTold(t *testing.T) {
	srv := bustest.Start(t)
	ops := srv.Connect(t, events.Ops)
	_, err := ops.JetStream().Publish(within(t, 5*time.Second), "service.registered", make([]byte, events.MaxPayload+1))
	if !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("got %v; want %v", err, nats.ErrMaxPayload)
	}
}

func TestReplayReadsTheOriginal(t *testing.T) {
	srv := bustest.Start(t)
	var mended bool
	got := make(chan events.Event[events.ServiceRegistered], 1)
	proxyconf := srv.Connect(t, events.Proxyconf)
	gate := make(chan struct{}, 1)
	w := events.On(proxyconf, func(_ context.Context, e events.Event[events.ServiceRegistered]) error {
		gate <- struct{}{}
		if !mended {
			return events.Invalidf("held by another")
		}
		got <- e
		return nil
	})
	bustest.Run(t, w, events.Replays(proxyconf, w))
	witness := make(chan events.Event[events.ServiceRegistered], 1)
	ca := srv.Connect(t, events.CA)
	other := events.On(ca, func(_ context.Context, e events.Event[events.ServiceRegistered]) error {
		if e.ReplayedAt != 0 {
			witness <- e
		}
		return nil
	})
	bustest.Run(t, other, events.Replays(ca, other))
	ops := srv.Connect(t, events.Ops)
	ctx := within(t, 20*time.Second)
	ack, err := ops.JetStream().Publish(ctx, "service.registered", []byte(`{"name":"late"}`))
	if err != nil {
		t.Fatal(err)
	}
	<-gate
	letters := waitForLetters(ctx, t, ops, 1)
	mended = true
	if err := ops.Replay(ctx, letters[0].DeadLetter); err != nil {
		t.Fatal(err)
	}
	<-gate
	for _, heard := range []chan events.Event[events.ServiceRegistered]{got, witness} {
		e := <-heard
		if e.Data.Name != "late" || e.Sequence != ack.Sequence || e.Speaker != events.Ops || e.ReplayedAt != ack.Sequence {
			t.Errorf("got %+v", e)
		}
	}
	if err := ops.DropDeadLetter(ctx, letters[0]); err != nil {
		t.Fatal(err)
	}
	if left, err := ops.DeadLetters(ctx); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func waitForLetters(ctx context.Context, t *testing.T, b *events.Bus, n int) []events.StoredDeadLetter {
	t.Helper()
	for {
		letters, err := b.DeadLetters(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(letters) >= n {
			return letters
		}
	}
}

func TestLaterIsDeliveredAgain(t *testing.T) {
	srv := bustest.Start(t)
	got := make(chan int, 4)
	bustest.Run(t, events.On(srv.Connect(t, events.CA), func(_ context.Context, e events.Event[events.ContainerReady]) error {
		got <- e.Deliveries
		if e.Deliveries < 3 {
			return errors.New("not yet")
		}
		return nil
	}))
	if _, err := srv.Connect(t, events.Provisioner).Publish(within(t, 10*time.Second), events.ContainerReady{ID: 103}); err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 3; want++ {
		if n := <-got; n != want {
			t.Errorf("delivery %d; want %d", n, want)
		}
	}
}

func TestBuckets(t *testing.T) {
	srv := bustest.Start(t)
	ctx := within(t, time.Minute)
	own := srv.Connect(t, events.Gateway).Bucket(events.BucketGateway)
	if _, _, err := events.Load[events.GatewayHost](ctx, own, "host.a.b"); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("missing key: %v", err)
	}
	if all, err := own.List(ctx, ""); err != nil || len(all) != 0 {
		t.Errorf("empty bucket: %v, %v", all, err)
	}
	const many = 1200
	for i := range many {
		if _, err := events.Save(ctx, own, fmt.Sprintf("host.h%d.x", i), events.GatewayHost{Host: fmt.Sprintf("h%d.x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := own.Delete(ctx, "host.h7.x"); err != nil {
		t.Fatal(err)
	}
	all, err := events.All[events.GatewayHost](ctx, own, "host.")
	if err != nil || len(all) != many-1 {
		t.Errorf("listed %d keys, %v; want %d", len(all), err, many-1)
	}
	rev, err := own.Create(ctx, "once", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Create(ctx, "once", []byte("2")); !errors.Is(err, events.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := own.Update(ctx, "once", []byte("3"), rev+9); !errors.Is(err, events.ErrConflict) {
		t.Errorf("updated a wrong revision: %v", err)
	}
	seen, err := events.All[events.GatewayHost](ctx, srv.Connect(t, events.Ops).Bucket(events.BucketGateway), "host.")
	if err != nil || len(seen) != many-1 {
		t.Errorf("the operator lists %d keys, %v", len(seen), err)
	}
}

func TestSealed(t *testing.T) {
	srv := bustest.Start(t)
	ctx := within(t, 10*time.Second)
	from, to := srv.Connect(t, events.Proxyconf), srv.Connect(t, events.Gateway)
	if _, _, err := to.GetSealed(ctx, "a.phoenix.localhost"); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	for _, data := range []string{"old", "new"} {
		if _, _, err := from.PutSealed(ctx, "a.phoenix.localhost", []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	data, seq, err := to.GetSealed(ctx, "a.phoenix.localhost")
	if err != nil || string(data) != "new" || seq != 2 {
		t.Errorf("got %q, %d, %v", data, seq, err)
	}
}

func TestRestartLosesNothing(t *testing.T) {
	srv := bustest.Start(t)
	got := make(chan string, 8)
	bustest.Run(t, events.On(srv.Connect(t, events.Gateway), func(_ context.Context, e events.Event[events.ProxyReady]) error {
		got <- e.Data.Serial
		return nil
	}))
	proxyconf := srv.Connect(t, events.Proxyconf)
	ctx := within(t, 60*time.Second)
	for _, serial := range []string{"1", "2", "3"} {
		if _, err := proxyconf.Publish(ctx, events.ProxyReady{Serial: serial}); err != nil {
			t.Fatal(err)
		}
		srv.Restart(t)
	}
	// At least once: an acknowledgement that met the restart has its message
	// come again.
	for seen := map[string]bool{}; len(seen) < 3; {
		select {
		case serial := <-got:
			seen[serial] = true
		case <-ctx.Done():
			t.Fatalf("only %v came", seen)
		}
	}
}

// Whatever a service asks of JetStream with another's subject for an answer,
// nothing lands in the stream, and no other subject takes its words.
func TestNobodySpeaksForAnother(t *testing.T) {
	srv := bustest.Start(t)
	ctx := within(t, 30*time.Second)
	ops := srv.Connect(t, events.Ops)
	if _, err := srv.Connect(t, events.Provisioner).Publish(ctx, events.ContainerReady{ID: 101}); err != nil {
		t.Fatal(err)
	}
	before := lastSequence(ctx, t, ops)
	for _, id := range []events.Identity{events.Gateway, events.Proxyconf, events.Provisioner, events.Ops} {
		b := srv.Connect(t, id)
		var attempts []*nats.Msg
		for _, target := range []string{"ca.ready", "cert.issued", "service.registered.provisioner", "$JS.API.STREAM.DELETE.PHOENIX", "$KV.ca.ca"} {
			attempts = append(attempts, &nats.Msg{Subject: target, Data: []byte("{}")})
			for _, call := range []string{
				"CONSUMER.MSG.NEXT.PHOENIX." + events.Durable(id, "container.ready"), "DIRECT.GET.PHOENIX",
				"CONSUMER.INFO.PHOENIX." + events.Durable(id, "container.ready"), "STREAM.INFO.KV_" + string(id),
			} {
				attempts = append(attempts, &nats.Msg{Subject: "BUS.API." + call, Reply: target, Data: []byte(`{"seq":1}`)})
			}
		}
		for _, m := range attempts {
			if err := b.Conn().PublishMsg(m); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Conn().FlushWithContext(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if after := lastSequence(ctx, t, ops); after != before {
		t.Errorf("the stream went from %d to %d messages", before, after)
	}
	if _, err := ops.JetStream().Stream(ctx, events.StreamEvents); err != nil {
		t.Errorf("the stream is gone: %v", err)
	}
	if _, _, err := ops.Bucket(events.BucketCA).Get(ctx, "ca"); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("somebody wrote the CA's bucket: %v", err)
	}
}

func lastSequence(ctx context.Context, t *testing.T, b *events.Bus) uint64 {
	t.Helper()
	s, err := b.JetStream().Stream(ctx, events.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return info.State.LastSeq
}

func TestAnonymousIsRefused(t *testing.T) {
	srv := bustest.Start(t)
	if nc, err := nats.Connect(srv.URL(), nats.RootCAs(srv.Folder.CA()), nats.Timeout(5*time.Second)); err == nil {
		nc.Close()
		t.Error("connected without an identity")
	}
	if nc, err := nats.Connect(srv.URL(), nats.Timeout(5*time.Second)); err == nil {
		nc.Close()
		t.Error("connected without knowing the certificate")
	}
}

func TestOperatorSubscribes(t *testing.T) {
	srv := bustest.Start(t)
	ctx := within(t, 10*time.Second)
	ops := srv.Connect(t, events.Ops)
	sub, err := ops.Conn().SubscribeSync("cert.issued")
	if err != nil {
		t.Fatal(err)
	}
	if err := ops.Conn().FlushWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Connect(t, events.CA).Publish(ctx, events.CertIssued{Serial: "0a"}); err != nil {
		t.Fatal(err)
	}
	msg, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var e events.CertIssued
	if err := json.Unmarshal(msg.Data, &e); err != nil || e.Serial != "0a" {
		t.Errorf("got %s, %v", msg.Data, err)
	}
}
