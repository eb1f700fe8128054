package bus_test

import (
	"context"
	"net"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/bus"
)

// BenchmarkStart measures a bus from an empty folder to its streams set up.
func BenchmarkStart(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := bus.Start(context.Background(), bus.Options{Folder: bus.Folder(b.TempDir()), Listen: listen, Names: []string{"bus.x"}})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
