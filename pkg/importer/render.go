package importer

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	faint  = "\x1b[2m"
	reset  = "\x1b[0m"
)

func colourOf(l Level) string {
	switch l {
	case Error:
		return red
	case Warn:
		return yellow
	case Info:
	}
	return faint
}

// Render writes the result for a person: problems grouped by file, then the
// services, then the sums. Foreign text is stripped of control characters, so
// nothing in the input can steer the terminal.
func Render(w io.Writer, r Result, colour bool) error {
	p := &printer{w: w, colour: colour}
	p.problems(r.Problems)
	p.services(r.Services)
	p.sums(r)
	return p.err
}

// printer writes until the first error.
type printer struct {
	w      io.Writer
	colour bool
	err    error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// paint wraps text in a colour where the terminal has any.
func (p *printer) paint(colour, text string) string {
	if !p.colour {
		return text
	}
	return colour + text + reset
}

func (p *printer) problems(problems []Problem) {
	for i, q := range problems {
		if i == 0 || q.File != problems[i-1].File {
			if i > 0 {
				p.line("")
			}
			p.line("%s", plain(q.File))
		}
		where := plain(q.Path)
		if q.Line > 0 {
			where = strings.TrimSpace(fmt.Sprintf("%d: %s", q.Line, where))
		}
		p.line("  %s %s", p.paint(colourOf(q.Level), fmt.Sprintf("%-5s", q.Level)), where)
		p.line("        %s", plain(q.Message))
		if q.Hint != "" {
			p.line("        %s", p.paint(faint, "→ "+plain(q.Hint)))
		}
	}
	if len(problems) > 0 {
		p.line("")
	}
}

func (p *printer) services(services []Service) {
	if len(services) == 0 {
		p.line("No services found.")
		return
	}
	p.line("Services")
	for _, s := range services {
		mark := p.paint(green, "taken over")
		if s.State == events.StateFailed {
			mark = p.paint(red, "left out  ")
		}
		p.line("  %s  %s  %s", mark, plain(s.Name), plain(strings.Join(s.Hosts, ", ")))
		if s.Why != "" {
			p.line("              %s", plain(s.Why))
		}
	}
}

func (p *printer) sums(r Result) {
	levels := map[Level]int{}
	for _, q := range r.Problems {
		levels[q.Level]++
	}
	over := 0
	for _, s := range r.Services {
		if s.State != events.StateFailed {
			over++
		}
	}
	p.line("")
	p.line("%d of %d services taken over; %d errors, %d warnings, %d notes", over, len(r.Services), levels[Error], levels[Warn], levels[Info])
	if r.Written != "" {
		p.line("Written to %s", plain(r.Written))
	}
}

// plain replaces what a terminal or a YAML comment could take for a command.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) && r != ' ' {
			return '·'
		}
		return r
	}, s)
}
