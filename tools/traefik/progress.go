package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// liveEvery is how often a line on a terminal changes.
	liveEvery = 100 * time.Millisecond
	// plainEvery is how often a line is added where nothing can be overwritten.
	plainEvery = 15 * time.Second
)

// progress shows how far the build is: as one line that changes on a terminal,
// as a line from time to time anywhere else.
type progress struct {
	out   io.Writer
	live  bool // out is a terminal
	now   func() time.Time
	start time.Time
	shown time.Time

	fetched  int
	packages map[string]bool // the packages to build; true: compiled
	compiled int
	main     string // the package whose compilation is followed by linking
}

// newProgress begins to count the time.
func newProgress(out io.Writer, live bool, now func() time.Time) *progress {
	start := now()
	return &progress{out: out, live: live, now: now, start: start, shown: start, main: mainPackage}
}

// expect says which packages make up the program. How many of them are in the
// go command's own cache is not known, so their number is an upper limit.
func (p *progress) expect(packages []string) {
	p.packages = make(map[string]bool, len(packages))
	for _, pkg := range packages {
		p.packages[pkg] = false
	}
}

// line understands a line that the go command prints on standard error. It
// says whether the line was progress.
func (p *progress) line(text string) bool {
	if strings.HasPrefix(text, "go: downloading ") {
		p.fetched++
		p.update("fetching sources: %d modules", p.fetched)
		return true
	}
	compiled, known := p.packages[text]
	if !known || compiled {
		return known
	}
	p.packages[text] = true
	p.compiled++
	if text == p.main {
		p.say("linking")
		return true
	}
	p.update("compiling: %d of at most %d packages", p.compiled, len(p.packages))
	return true
}

// update shows a state that the next one may replace.
func (p *progress) update(format string, args ...any) {
	every := plainEvery
	if p.live {
		every = liveEvery
	}
	if p.now().Sub(p.shown) < every {
		return
	}
	p.shown = p.now()
	if p.live {
		fmt.Fprintf(p.out, "\r\033[K%s", p.stamped(format, args...))
		return
	}
	fmt.Fprintln(p.out, p.stamped(format, args...))
}

// say shows a line that stays.
func (p *progress) say(format string, args ...any) {
	p.clear()
	fmt.Fprintln(p.out, p.stamped(format, args...))
}

// clear removes the line that changes.
func (p *progress) clear() {
	if p.live {
		fmt.Fprint(p.out, "\r\033[K")
	}
}

// stamped puts the time since the start before a text.
func (p *progress) stamped(format string, args ...any) string {
	since := p.now().Sub(p.start)
	return fmt.Sprintf("traefik %2d:%02d  %s", int(since.Minutes()), int(since.Seconds())%60, fmt.Sprintf(format, args...))
}
