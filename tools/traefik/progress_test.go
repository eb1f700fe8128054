package main

import (
	"bytes"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

// testProgress returns a progress, what it shows, and its clock.
func testProgress(live bool) (*progress, *bytes.Buffer, *clock) {
	c := &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	out := new(bytes.Buffer)
	p := newProgress(out, live, c.now)
	p.main = "example.com/main"
	return p, out, c
}

func TestProgressInALog(t *testing.T) {
	p, out, c := testProgress(false)
	p.line("go: downloading example.com/a v1.0.0")
	c.pass(20 * time.Second)
	p.line("go: downloading example.com/b v1.0.0")
	p.expect([]string{"example.com/a", "example.com/b", "example.com/main"})
	c.pass(20 * time.Second)
	p.line("example.com/a")
	p.line("example.com/b") // too soon after the last line
	c.pass(time.Minute)
	p.line("example.com/main")

	want := "traefik  0:20  fetching sources: 2 modules\n" +
		"traefik  0:40  compiling: 1 of at most 3 packages\n" +
		"traefik  1:40  linking\n"
	if got := out.String(); got != want {
		t.Errorf("progress shows\n%s\nwant\n%s", got, want)
	}
}

func TestProgressOnATerminal(t *testing.T) {
	p, out, c := testProgress(true)
	p.expect([]string{"example.com/a", "example.com/b"})
	c.pass(time.Second)
	p.line("example.com/a")
	p.line("example.com/b") // too soon after the last change
	p.say("done")

	want := "\r\033[Ktraefik  0:01  compiling: 1 of at most 2 packages" +
		"\r\033[K" + "traefik  0:01  done\n"
	if got := out.String(); got != want {
		t.Errorf("progress shows\n%q\nwant\n%q", got, want)
	}
}

func TestProgressTellsComplaintsApart(t *testing.T) {
	p, _, _ := testProgress(false)
	p.expect([]string{"example.com/a"})
	tests := []struct {
		line string
		want bool
	}{
		{"go: downloading example.com/a v1.0.0", true},
		{"example.com/a", true},
		{"example.com/a", true}, // said twice
		{"example.com/unknown", false},
		{"# example.com/a", false},
		{"a.go:1:2: syntax error", false},
		{"go: updates to go.mod needed", false},
	}
	for _, tt := range tests {
		if got := p.line(tt.line); got != tt.want {
			t.Errorf("line(%q) = %t, want %t", tt.line, got, tt.want)
		}
	}
	if p.compiled != 1 {
		t.Errorf("%d packages are compiled, want 1", p.compiled)
	}
}
