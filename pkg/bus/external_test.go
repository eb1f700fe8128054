package bus_test

import (
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// A nats-server of one's own takes the written configuration as it is.
func TestServerOfOnesOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	folder := bus.Folder(t.TempDir())
	if err := bus.Prepare(bus.Options{Folder: folder, Listen: listen, Names: []string{"bus.phoenix.localhost"}}); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(folder.Config())
	if err != nil {
		t.Fatal(err)
	}
	opts.NoLog, opts.NoSigs = true, true
	ns, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	go ns.Start()
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	ctx := within(t, 30*time.Second)
	if err := bus.Provision(ctx, "tls://"+listen, folder, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	b, err := events.Connect(ctx, events.Options{URL: "tls://" + listen, Identity: events.CA, SeedFile: folder.Seed(events.CA), CAFile: folder.CA()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Publish(ctx, events.CAReady{URL: "u"}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(folder.Seed(events.CA)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("seed: %v, %v", info.Mode(), err)
	}
}
