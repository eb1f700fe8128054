package fault

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Text writes err for people: what and where first, then what to do next.
func Text(w io.Writer, program string, err error) {
	problems := Problems(err)
	if len(problems) == 1 {
		_, _ = fmt.Fprintf(w, "%s: %s\n", program, indent(problems[0]))
	} else {
		_, _ = fmt.Fprintf(w, "%s: %d problems\n", program, len(problems))
		for _, p := range problems {
			_, _ = fmt.Fprintf(w, "  - %s\n", indent(p))
		}
	}
	for _, h := range Hints(err) {
		_, _ = fmt.Fprintf(w, "  next: %s\n", indent(h))
	}
}

// JSON writes err for scripts, as one object on one line.
func JSON(w io.Writer, err error) {
	_ = json.NewEncoder(w).Encode(Report{Error: err.Error(), Problems: Problems(err), Next: Hints(err), Code: Code(err)})
}

// Report is what JSON writes.
type Report struct {
	Error    string   `json:"error"`
	Problems []string `json:"problems"`
	Next     []string `json:"next,omitempty"`
	Code     int      `json:"code"`
}

// indent keeps the further lines of a text below its first one.
func indent(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}
