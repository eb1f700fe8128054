// Package progress tells how work goes on while it goes on: one line that moves
// on a terminal, plain lines in a log.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

// Options say where progress is written, and how.
type Options struct {
	// Live redraws a last line: for terminals only.
	Live bool
	// Quiet keeps everything to itself but failures.
	Quiet bool
	Style view.Style
	// Width returns the terminal's width; lines that move are cut to it.
	Width func() int
}

const (
	frameEvery = 120 * time.Millisecond
	// remindEvery is how often a log is told what is still waited for.
	remindEvery = 10 * time.Second
	// worthTelling is the shortest time that is told.
	worthTelling = 50 * time.Millisecond
)

// Reporter writes progress. It is safe for concurrent use. Close ends it.
type Reporter struct {
	w     io.Writer
	o     Options
	start time.Time
	stop  chan struct{}
	done  chan struct{}
	once  sync.Once

	mu      sync.Mutex // guards what follows, and the order of writes
	waiting string
	since   time.Time
	frame   int
	drawn   bool
}

// New begins to report to w.
func New(w io.Writer, o Options) *Reporter {
	if o.Width == nil {
		o.Width = func() int { return 80 }
	}
	now := time.Now()
	r := &Reporter{w: w, o: o, start: now, since: now, stop: make(chan struct{}), done: make(chan struct{})}
	go r.tick()
	return r
}

// Waiting says what is being waited for now.
func (r *Reporter) Waiting(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if text == r.waiting {
		return
	}
	r.waiting, r.since = text, time.Now()
	if r.o.Live && !r.o.Quiet {
		r.draw()
	}
}

// Done says that a step is done, and how long it took; 0 when that is not known.
func (r *Reporter) Done(took time.Duration, format string, args ...any) {
	r.line(r.o.Style.Good("✓"), took, fmt.Sprintf(format, args...))
}

// Note says something by the way.
func (r *Reporter) Note(format string, args ...any) {
	r.line(r.o.Style.Dim("·"), 0, fmt.Sprintf(format, args...))
}

// Failed says that a step failed. It is said even when quiet.
func (r *Reporter) Failed(format string, args ...any) {
	r.write(r.o.Style.Bad("✗"), 0, fmt.Sprintf(format, args...))
}

// Elapsed is the time since New.
func (r *Reporter) Elapsed() time.Duration { return time.Since(r.start) }

// Close removes the moving line and ends the report. It may be called again.
func (r *Reporter) Close() {
	r.once.Do(func() {
		close(r.stop)
		<-r.done
		r.mu.Lock()
		defer r.mu.Unlock()
		r.erase()
	})
}

func (r *Reporter) line(mark string, took time.Duration, text string) {
	if !r.o.Quiet {
		r.write(mark, took, text)
	}
}

func (r *Reporter) write(mark string, took time.Duration, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	if !r.o.Live {
		mark = fmt.Sprintf("[%6s]", view.Duration(time.Since(r.start)))
	}
	line := mark + " " + view.Clean(text)
	if took >= worthTelling {
		line += "  " + r.o.Style.Dim(view.Duration(took))
	}
	_, _ = fmt.Fprintln(r.w, line)
	if r.o.Live && !r.o.Quiet && r.waiting != "" {
		r.draw()
	}
}

// tick moves the line on a terminal, and reminds a log of a long wait.
func (r *Reporter) tick() {
	defer close(r.done)
	every := remindEvery
	if r.o.Live {
		every = frameEvery
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-t.C:
			r.remind()
		}
	}
}

func (r *Reporter) remind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.o.Quiet || r.waiting == "" {
		return
	}
	if r.o.Live {
		r.frame++
		r.draw()
		return
	}
	if waited := time.Since(r.since); waited >= remindEvery/2 {
		_, _ = fmt.Fprintf(r.w, "[%6s] waits for %s (%s so far)\n", view.Duration(time.Since(r.start)), r.waiting, view.Duration(waited))
	}
}

// draw replaces the moving line.
func (r *Reporter) draw() {
	const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
	all := []rune(frames)
	text := cut(view.Clean(r.waiting), r.o.Width()-12)
	_, _ = fmt.Fprintf(r.w, "\r\x1b[2K%s %s %s", r.o.Style.Busy(string(all[r.frame%len(all)])), text,
		r.o.Style.Dim(view.Duration(time.Since(r.since))))
	r.drawn = true
}

func (r *Reporter) erase() {
	if r.drawn {
		_, _ = io.WriteString(r.w, "\r\x1b[2K")
		r.drawn = false
	}
}

// cut shortens s to n runes; a terminal too narrow to matter gets a few.
func cut(s string, n int) string {
	n = max(n, 10)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}
