package importer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// Level says how much a problem matters.
type Level string

// The levels: what does not work, what is likely to hurt, what is worth knowing.
const (
	Error Level = "error"
	Warn  Level = "warn"
	Info  Level = "info"
)

// maxProblems is the most problems that are reported of one import.
const maxProblems = 5000

// Problem is one thing that is wrong in the input, and where.
type Problem struct {
	Level Level `json:"level"`
	// File as it was given: below its folder, or its own name.
	File string `json:"file"`
	// Path of the value in the file, such as vms[0].network_config.ip.
	Path string `json:"path"`
	// Line of the value, 0 when not known.
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	// Hint says what to do about it.
	Hint string `json:"hint"`
}

// place is where a problem is: a value of a document, or a key that it lacks.
type place struct {
	file string
	path string
	line int
}

// at returns the place of n in the document.
func (d *document) at(n *jsontree.Node) place {
	p := place{file: d.name, path: n.Path()}
	if n != nil {
		p.line = n.Line
	}
	return p
}

// key returns the place of a key of n, which need not be there.
func (d *document) key(n *jsontree.Node, key string) place {
	if v := n.Get(key); v != nil {
		return d.at(v)
	}
	p := d.at(n)
	p.path = jsontree.Join(p.path, key)
	return p
}

// named returns the place of n under another path.
func (d *document) named(n *jsontree.Node, path string) place {
	p := d.at(n)
	p.path = path
	return p
}

func problem(level Level, at place, hint, format string, args ...any) Problem {
	return Problem{
		Level: level, File: at.file, Path: at.path, Line: at.line,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// arrange sorts problems by file, in the order of files, and by line, drops
// repetitions, and cuts a list too long to be read.
func arrange(problems []Problem, files []string) []Problem {
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f] = i + 1
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(severity(a.Level), severity(b.Level)),
		)
	})
	problems = slices.CompactFunc(problems, func(a, b Problem) bool { return a == b })
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems:maxProblems], Problem{
			Level: Error, Message: fmt.Sprintf("%d more problems are not shown", more),
			Hint: "correct those above and import again",
		})
	}
	return problems
}

func severity(l Level) int { return slices.Index([]Level{Error, Warn, Info}, l) }
