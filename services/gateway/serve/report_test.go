package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// speaker keeps what is published.
type speaker struct {
	mu   sync.Mutex
	said []events.GatewayApplied
	err  error
}

func (s *speaker) Publish(_ context.Context, p events.Payload, _ ...events.PublishOption) (events.Ack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return events.Ack{}, s.err
	}
	applied, ok := p.(events.GatewayApplied)
	if !ok {
		return events.Ack{}, errors.New("not gateway.applied")
	}
	s.said = append(s.said, applied)
	return events.Ack{}, nil
}

func (s *speaker) take() []events.GatewayApplied {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := s.said
	s.said = nil
	return said
}

func (s *speaker) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// bubble is a reporter in a time of its own.
type bubble struct {
	t *testing.T
	r *Reporter
	s *speaker
}

// pass lets the time of the bubble pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// reporting runs a reporter in a bubble of its own time.
func reporting(t *testing.T, test func(bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &speaker{}
		r := NewReporter(s, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		test(bubble{t, r, s})
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func check(t *testing.T, got []events.GatewayApplied, want ...events.GatewayApplied) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReportsAreSaidTogether(t *testing.T) {
	reporting(t, func(b bubble) {
		t, r, s := b.t, b.r, b.s
		r.host("a", "01", false)
		synctest.Wait()
		check(t, s.take(), events.GatewayApplied{Hosts: map[string]string{"a": "01"}, Total: 1})
		r.host("a", "02", false)
		r.host("b", "03", false)
		r.host("c", "04", true)
		r.host("d", "", true)
		r.host("e", "", false)
		r.host("b", "05", false)
		synctest.Wait()
		check(t, s.take())
		pass(reportEvery)
		check(t, s.take(), events.GatewayApplied{
			Hosts: map[string]string{"a": "02", "b": "05", "c": "04"}, Removed: []string{"e"}, Missing: []string{"c", "d"}, Total: 3,
		})
		pass(time.Minute)
		check(t, s.take())
	})
}

func TestRefusalIsSaidOnce(t *testing.T) {
	reporting(t, func(b bubble) {
		t, r, s := b.t, b.r, b.s
		for range 3 {
			r.refused("why")
			pass(time.Minute)
		}
		r.host("a", "01", false)
		pass(time.Minute)
		r.refused("")
		pass(time.Minute)
		check(t, s.take(),
			events.GatewayApplied{Hosts: map[string]string{}, Error: "why"},
			events.GatewayApplied{Hosts: map[string]string{"a": "01"}, Total: 1, Error: "why"},
			events.GatewayApplied{Hosts: map[string]string{}, Total: 1})
	})
}

func TestReportIsKeptWhileTheBusIsAway(t *testing.T) {
	reporting(t, func(b bubble) {
		t, r, s := b.t, b.r, b.s
		s.fail(errors.New("away"))
		r.host("a", "01", false)
		r.host("b", "01", false)
		synctest.Wait()
		r.host("a", "02", false)
		pass(time.Minute)
		s.fail(nil)
		pass(time.Minute)
		check(t, s.take(), events.GatewayApplied{Hosts: map[string]string{"a": "02", "b": "01"}, Total: 2})
	})
}

func TestLongReportsComeInParts(t *testing.T) {
	reporting(t, func(b bubble) {
		t, r, s := b.t, b.r, b.s
		const hosts = 2*reportHosts + 5
		for i := range hosts {
			name := fmt.Sprintf("%05d", i) + strings.Repeat(".longest", 31)
			r.host(name, strings.Repeat("ff", 20), true)
		}
		pass(time.Second)
		seen := map[string]bool{}
		parts := s.take()
		for _, part := range parts {
			raw, err := json.Marshal(part)
			if err != nil || len(raw) > events.MaxPayload-4096 {
				t.Errorf("a part has %d bytes, %v", len(raw), err)
			}
			for host := range part.Hosts {
				seen[host] = true
			}
		}
		if last := parts[len(parts)-1]; len(seen) != hosts || last.Total != hosts {
			t.Errorf("%d hosts in %d parts, total %d, want %d", len(seen), len(parts), last.Total, hosts)
		}
	})
}
