package e2e

import (
	"github.com/nats-io/nats-server/v2/server"

	"github.com/phoenix-platform/phoenix/pkg/bus"
)

// externalBus runs a nats-server of the test's own on the configuration that
// the home holds for one, and returns how to end it.
func (s *stack) externalBus(listen string) (end func()) {
	s.t.Helper()
	folder := bus.Folder(s.home + "/bus")
	if r := s.cli("plan"); r.code != 0 { // makes no home
		s.t.Fatal(r)
	}
	// The first try writes the configuration and gives up: nothing answers yet.
	if r := s.cli("up", "--bus-url", "tls://"+listen, "--timeout", "3s"); r.code == 0 {
		s.t.Fatalf("up without a bus: %s", r)
	}
	opts, err := server.ProcessConfigFile(folder.Config())
	if err != nil {
		s.t.Fatal(err)
	}
	opts.NoLog, opts.NoSigs = true, true
	ns, err := server.NewServer(opts)
	if err != nil {
		s.t.Fatal(err)
	}
	go ns.Start()
	return func() { ns.Shutdown(); ns.WaitForShutdown() }
}
