package progress

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buffer is a strings.Builder that may be written while it is read.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// work is what every test reports.
func work(r *Reporter) {
	r.Waiting("the CA")
	time.Sleep(400 * time.Millisecond)
	r.Done(400*time.Millisecond, "CA serves")
	r.Note("nothing\x1b[31m to see")
	r.Waiting("the proxy")
	time.Sleep(12 * time.Second)
	r.Failed("proxy failed")
	r.Close()
	r.Close()
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b buffer
		work(New(&b, Options{}))
		want := `[  0.4s] CA serves  0.4s
[  0.4s] nothing\x1b[31m to see
[   10s] waits for the proxy (9.6s so far)
[   12s] proxy failed
`
		if b.String() != want {
			t.Errorf("got:\n%swant:\n%s", b.String(), want)
		}
	})
}

func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, live := range []bool{false, true} {
			var b buffer
			work(New(&b, Options{Quiet: true, Live: live}))
			if got := b.String(); !strings.HasSuffix(got, "proxy failed\n") || strings.Count(got, "\n") != 1 {
				t.Errorf("live %v: got %q, want the failure alone", live, got)
			}
		}
	})
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b buffer
		work(New(&b, Options{Live: true, Style: view.Style{Color: true}, Width: func() int { return 24 }}))
		got := b.String()
		for _, want := range []string{"\x1b[32m✓\x1b[0m CA serves", "the proxy \x1b[2m11s\x1b[0m", "✗\x1b[0m proxy failed\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("got %q, want %q in it", got, want)
			}
		}
		if !strings.HasSuffix(got, "\r\x1b[2K") {
			t.Errorf("got %q, want no line left behind", got)
		}
	})
}

func TestCut(t *testing.T) {
	if got := cut("waits for the certificate", 12); got != "waits for t…" {
		t.Errorf("got %q", got)
	}
	if got := cut("short", 1); got != "short" {
		t.Errorf("got %q", got)
	}
}
