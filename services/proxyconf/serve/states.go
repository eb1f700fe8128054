package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

const saysAtOnce = 8

// States records what became of each service, and says it.
type States struct {
	bell
	site         Site
	book         *book.Book
	backends     *Backends
	routes       *Routes
	certificates *Certificates
	speaker      Speaker
	metrics      *Metrics
	log          *slog.Logger

	mu   sync.Mutex
	told map[string]told // what was said of each service in this life
}

// told is what service.ready said.
type told struct {
	sequence uint64            // of the registration
	serials  map[string]string // host → serial
}

// NewStates returns the reconciler of the services' states.
func NewStates(site Site, b *book.Book, backends *Backends, routes *Routes, certificates *Certificates, speaker Speaker, m *Metrics, log *slog.Logger) *States {
	s := &States{
		bell: newBell(), site: site, book: b, backends: backends, routes: routes, certificates: certificates,
		speaker: speaker, metrics: m, log: log.With("part", "states"), told: map[string]told{},
	}
	b.Notify(s.Ring)
	backends.Notify(s.Ring)
	routes.Notify(s.Ring)
	certificates.Notify(s.Ring)
	return s
}

// Run tells states until ctx ends.
func (s *States) Run(ctx context.Context) error {
	s.recall()
	return loop(ctx, s.bell, s.log, s.step)
}

// recall takes what is recorded as ready for told.
func (s *States) recall() {
	states := s.book.States()
	for _, r := range s.book.Services() {
		if state, ok := states[r.Name]; ok && state.State == events.StateReady {
			s.told[r.Name] = told{sequence: r.Sequence, serials: state.Serials}
		}
	}
}

func (s *States) step(ctx context.Context) (time.Duration, error) {
	answered := s.answer(ctx)
	next, err := s.tellAll(ctx)
	return next, errors.Join(answered, err)
}

// tellAll says and records what is new of all services.
func (s *States) tellAll(ctx context.Context) (time.Duration, error) {
	services, states := s.book.Services(), s.book.States()
	served, hosts, now := s.routes.Served(), s.certificates.Hosts(), time.Now()
	s.metrics.count(states, hosts)
	next := time.Duration(0)
	var group errgroup.Group // one that fails doesn't keep the others
	group.SetLimit(saysAtOnce)
	for _, r := range services {
		seen, again := judge(evidence{
			service: r, route: s.backends.Route(r), applied: served.Sequences[r.Name] == r.Sequence,
			fault: served.Faults[r.Name], hosts: hosts,
		}, now)
		next = sooner(next, again)
		former := states[r.Name]
		delete(states, r.Name)
		if news := s.newsOf(r, former, seen); news.any() {
			group.Go(func() error { return s.tell(ctx, r, news) })
		}
	}
	for name := range states {
		if _, routed := served.Sequences[name]; !routed {
			group.Go(func() error { return s.bury(ctx, name) })
		}
	}
	return next, group.Wait()
}

// news is what is to be said and recorded of one service.
type news struct {
	ready  []string // hosts to be said ready
	failed bool
	record bool
	state  events.ServiceState
}

func (n news) any() bool { return len(n.ready) > 0 || n.failed || n.record }

// newsOf compares what was seen with what is recorded and what was told.
func (s *States) newsOf(r registry.Service, former, seen events.ServiceState) news {
	n := news{state: settle(former, seen)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen.State == events.StateReady {
		before := s.told[r.Name]
		for _, host := range r.Hosts {
			if before.sequence != r.Sequence || before.serials[host] != seen.Serials[host] {
				n.ready = append(n.ready, host)
			}
		}
		s.told[r.Name] = told{sequence: r.Sequence, serials: seen.Serials}
	}
	if n.state.State == events.StateDegraded {
		n.failed = n.state.State != former.State || n.state.Reason != former.Reason
		delete(s.told, r.Name) // ready again is news again
	}
	n.record = !reflect.DeepEqual(n.state, former)
	return n
}

// tell says what is new and then records it: after a crash in between it is said
// again, which does no harm.
func (s *States) tell(ctx context.Context, r registry.Service, n news) error {
	ctx = s.book.Origin(r.Name).Context(ctx)
	if err := s.say(ctx, r, n); err != nil {
		s.forget(r.Name)
		return fmt.Errorf("tell of service %s: %w", r.Name, err)
	}
	if !n.record {
		return nil
	}
	return s.book.SetState(ctx, n.state)
}

func (s *States) say(ctx context.Context, r registry.Service, n news) error {
	for _, host := range n.ready {
		said := events.ServiceReady{Name: r.Name, Host: host, URL: s.site.url(host), Serial: n.state.Serials[host]}
		if _, err := s.speaker.Publish(ctx, said); err != nil {
			return err
		}
		s.log.InfoContext(ctx, "service ready", "service", r.Name, "host", host, "serial", said.Serial)
	}
	if !n.failed {
		return nil
	}
	s.log.WarnContext(ctx, "service degraded", "service", r.Name, "reason", n.state.Reason)
	_, err := s.speaker.Publish(ctx, events.ServiceFailed{Name: r.Name, Reason: n.state.Reason})
	return err
}

// forget has everything about a service said anew.
func (s *States) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.told, name)
}

// bury forgets a service that is not in force any more and that Traefik no longer
// routes. When nobody removed it, that is said.
func (s *States) bury(ctx context.Context, name string) error {
	ctx = s.book.Origin(name).Context(ctx)
	if why := s.book.Refused(name); why != nil {
		if _, err := s.speaker.Publish(ctx, events.ServiceFailed{Name: name, Reason: why.Error()}); err != nil {
			return fmt.Errorf("say that a service is refused: %w", err)
		}
	}
	s.forget(name)
	s.log.InfoContext(ctx, "service gone", "service", name)
	return s.book.RemoveState(ctx, name)
}
