package importer

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestRenderColours(t *testing.T) {
	r := Result{
		Services: []Service{{Name: "a", Hosts: []string{"a.test"}, State: events.StateFailed, Why: "w"}},
		Problems: []Problem{{Level: Error, File: "f.json", Path: "p", Line: 3, Message: "m", Hint: "h"}},
	}
	var b bytes.Buffer
	if err := Render(&b, r, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{red + "error" + reset + " 3: p", faint + "→ h" + reset, red + "left out  " + reset + "  a"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%q", want, b.String())
		}
	}
}

func TestRenderStripsControlCharacters(t *testing.T) {
	const evil = "\x1b]0;owned\x07\r\nx\u202e"
	r := Result{
		Services: []Service{{Name: evil, Hosts: []string{evil}, State: events.StateFailed, Why: evil}},
		Problems: []Problem{{Level: Warn, File: evil, Path: evil, Message: evil, Hint: evil}},
		Written:  evil, files: []string{evil},
	}
	var b bytes.Buffer
	if err := Render(&b, r, false); err != nil {
		t.Fatal(err)
	}
	yaml, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if s := b.String() + string(yaml); strings.ContainsAny(s, "\x1b\x07\r\u202e") {
		t.Errorf("control characters in %q", s)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestRenderTellsWriteErrors(t *testing.T) {
	if err := Render(full{}, Result{}, false); err == nil {
		t.Error("no error")
	}
}
