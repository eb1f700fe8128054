package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

var errStill = errors.New("still certified")

// handlers returns handlers with a real book and without a CA.
func (s *stage) handlers(t *testing.T) *handlers {
	t.Helper()
	site, err := siteOf(s.config)
	if err != nil {
		t.Fatal(err)
	}
	bus := s.bus.Connect(t, events.CA)
	b, err := book.Open(t.Context(), bus.Bucket(events.BucketCA), site.registry)
	if err != nil {
		t.Fatal(err)
	}
	return &handlers{stack: "home", address: s.config.Address, book: b, speaker: bus, log: slog.New(slog.DiscardHandler)}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// fakeSigner signs nothing.
type fakeSigner struct {
	mu    sync.Mutex
	asked []stepca.Ask
	err   error
}

func (f *fakeSigner) Sign(_ context.Context, ask stepca.Ask) (stepca.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, ask)
	return stepca.Certificate{Serial: "0a"}, f.err
}

// fakeSpeaker notes what is said.
type fakeSpeaker struct{ said []events.Payload }

func (f *fakeSpeaker) Publish(_ context.Context, p events.Payload, _ ...events.PublishOption) (events.Ack, error) {
	f.said = append(f.said, p)
	return events.Ack{}, nil
}

// fakeTeller notes what is told.
type fakeTeller struct{ told []stepca.Certificate }

func (f *fakeTeller) Say(_ context.Context, c stepca.Certificate) error {
	f.told = append(f.told, c)
	return nil
}
