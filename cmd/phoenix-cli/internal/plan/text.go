package plan

import (
	"fmt"
	"io"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

// Text writes the plan for people: one line for each step.
func (p Plan) Text(w io.Writer, style view.Style) error {
	if len(p.Steps) == 0 {
		_, err := fmt.Fprintf(w, "Stack %s is as configured: nothing to change.\n", p.Stack)
		return err
	}
	for _, s := range p.Steps {
		if _, err := fmt.Fprintf(w, "%s %-9s %s  %s\n", mark(style, s.Action), s.Kind, style.Bold(view.Clean(s.Name)), view.Clean(s.Detail)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n"+p.counts()+"\n")
	return err
}

func mark(style view.Style, a Action) string {
	switch a {
	case Create:
		return style.Good("+")
	case Change:
		return style.Busy("~")
	case Remove:
		return style.Bad("-")
	}
	return style.Bad("!")
}

func (p Plan) counts() string {
	n := map[Action]int{}
	for _, s := range p.Steps {
		n[s.Action]++
	}
	text := fmt.Sprintf("%d to create, %d to change, %d to remove", n[Create], n[Change], n[Remove])
	if n[Refuse] > 0 {
		text += fmt.Sprintf(", %d that the stack would refuse", n[Refuse])
	}
	return text
}
