package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

type hinted struct{ error }

func (hinted) Hint() string  { return "free it" }
func (hinted) ExitCode() int { return NotReady }

func TestCode(t *testing.T) {
	tests := map[string]struct {
		err  error
		want int
	}{
		"none":            {nil, Done},
		"plain":           {errors.New("x"), Failed},
		"misuse":          {Misusef("", "x"), Misused},
		"misuse of nil":   {Misuse(nil, "hint"), Done},
		"late":            {Latef("", "x"), NotReady},
		"wrapped":         {fmt.Errorf("up: %w", Latef("", "x")), NotReady},
		"joined":          {errors.Join(errors.New("a"), Misusef("", "b")), Misused},
		"somebody else's": {fmt.Errorf("up: %w", hinted{errors.New("x")}), NotReady},
		"outermost wins":  {Failure(Misusef("", "x"), ""), Failed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Code(tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestHints(t *testing.T) {
	err := Failure(errors.Join(
		fmt.Errorf("a: %w", hinted{errors.New("x")}),
		Misusef("read the manual", "b"),
		hinted{errors.New("again")},
	), "")
	want := []string{"free it", "read the manual"}
	if got := Hints(err); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestText(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"plain": {errors.New("port is taken"), "phoenix-cli: port is taken\n"},
		"with a hint": {
			fmt.Errorf("start the host: %w", Failuref("stop nginx", "port is taken")),
			"phoenix-cli: start the host: port is taken\n  next: stop nginx\n",
		},
		"several": {
			Misuse(errors.Join(errors.New("a: unknown key"), errors.New("b: not a number")), "see docs"),
			"phoenix-cli: 2 problems\n  - a: unknown key\n  - b: not a number\n  next: see docs\n",
		},
		"several causes of one": {
			fmt.Errorf("wait for the bus: %w: %w", errors.New("deadline"), errors.New("refused")),
			"phoenix-cli: wait for the bus: deadline: refused\n",
		},
		"lines": {errors.New("syntax error" + "\n> 1 | a\n"), "phoenix-cli: syntax error\n    > 1 | a\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			Text(&b, "phoenix-cli", tt.err)
			if b.String() != tt.want {
				t.Errorf("got:\n%swant:\n%s", b.String(), tt.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	JSON(&b, Misusef("say NAME", "name is missing"))
	var got Report
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := Report{Error: "name is missing", Problems: []string{"name is missing"}, Next: []string{"say NAME"}, Code: Misused}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if strings.Count(b.String(), "\n") != 1 {
		t.Errorf("got %q, want one line", b.String())
	}
}
