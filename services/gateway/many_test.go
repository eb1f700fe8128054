package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// memory returns what a process holds, in MB.
func memory(t *testing.T, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	var kilobytes int
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes >> 10
}

func TestManyHosts(t *testing.T) {
	hosts := 100
	if testing.Short() {
		hosts = 10
	}
	s := newStage(t)
	s.spawn(t)
	own := s.setUp(t)
	s.awaitServed(t, own)

	var one []time.Duration
	for i := range 10 {
		pair := s.authority.Pair(t, fmt.Sprintf("one%d.%s", i, domain))
		s.store(t, pair, s.sender)
		start := time.Now()
		s.announce(t, "one", pair)
		s.awaitServed(t, pair)
		one = append(one, time.Since(start))
	}
	slices.Sort(one)

	pairs := make([]seal.Pair, hosts)
	for i := range pairs {
		pairs[i] = s.authority.Pair(t, fmt.Sprintf("many%d.%s", i, domain))
		s.store(t, pairs[i], s.sender)
	}
	start := time.Now()
	for _, pair := range pairs {
		s.announce(t, "many", pair)
	}
	for _, pair := range pairs {
		s.awaitServed(t, pair)
	}
	all := time.Since(start)
	awaitSaid(t, s.heard, "all of them", func(a events.GatewayApplied) bool { return a.Total == hosts+len(one)+1 })
	if n := len(said[events.GatewayApplied](t, s.heard)); n > 30+int(time.Since(start)/(100*time.Millisecond)) {
		t.Errorf("gateway.applied was said %d times", n)
	}
	megabytes := memory(t, s.pid(t, "101-gateway"))
	t.Logf("from gateway.certificate to its serial: %s in the middle of ten; %d at once: %s; memory %d MB", one[len(one)/2], hosts, all, megabytes)
	if megabytes > 150 {
		t.Errorf("the gateway holds %d MB", megabytes)
	}
}
