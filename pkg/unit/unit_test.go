package unit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func good() Unit { return Unit{Name: "103-ca", Exec: []string{"/bin/ca", "--config", "/x"}} }

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		change func(*Unit)
		want   string // part of the message; empty: valid
	}{
		"good":            {func(*Unit) {}, ""},
		"no name":         {func(u *Unit) { u.Name = "" }, "name"},
		"path as name":    {func(u *Unit) { u.Name = "../x" }, "name"},
		"capital":         {func(u *Unit) { u.Name = "CA" }, "name"},
		"hyphen at end":   {func(u *Unit) { u.Name = "ca-" }, "name"},
		"long name":       {func(u *Unit) { u.Name = strings.Repeat("a", 64) }, "name"},
		"longest name":    {func(u *Unit) { u.Name = strings.Repeat("a", 63) }, ""},
		"no exec":         {func(u *Unit) { u.Exec = nil }, "exec is empty"},
		"relative exec":   {func(u *Unit) { u.Exec = []string{"ca"} }, "absolute"},
		"zero byte":       {func(u *Unit) { u.Exec = append(u.Exec, "a\x00b") }, "zero byte"},
		"long argument":   {func(u *Unit) { u.Exec = append(u.Exec, strings.Repeat("a", maxLength+1)) }, "more than"},
		"many arguments":  {func(u *Unit) { u.Exec = append(u.Exec, make([]string, maxStrings)...) }, "more than"},
		"env":             {func(u *Unit) { u.Env = []string{"A_1=b=c", "B="} }, ""},
		"env without =":   {func(u *Unit) { u.Env = []string{"SECRET"} }, "KEY=VALUE"},
		"env bad key":     {func(u *Unit) { u.Env = []string{"A B=c"} }, "KEY=VALUE"},
		"env reserved":    {func(u *Unit) { u.Env = []string{"PHOENIX_UNIT=x"} }, "set by the host"},
		"relative dir":    {func(u *Unit) { u.Dir = "x" }, "absolute"},
		"negative stop":   {func(u *Unit) { u.StopTimeout = -time.Second }, "stop timeout"},
		"endless stop":    {func(u *Unit) { u.StopTimeout = time.Hour }, "stop timeout"},
		"quit":            {func(u *Unit) { u.StopSignal = QUIT }, ""},
		"unknown signal":  {func(u *Unit) { u.ReloadSignal = "SIGHUP" }, "signal"},
		"several at once": {func(u *Unit) { u.Dir, u.StopSignal = "x", "y" }, "signal"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := good()
			tt.change(&u)
			err := u.Validate()
			if tt.want == "" {
				if err != nil {
					t.Fatalf("got %v, want no error", err)
				}
				return
			}
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want ErrInvalid with %q", err, tt.want)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	tests := map[string]struct {
		change      func(*Unit)
		equal, same bool
	}{
		"nothing":           {func(*Unit) {}, true, true},
		"default spelt":     {func(u *Unit) { u.StopSignal, u.StopTimeout, u.Dir = TERM, DefaultStopTimeout, "/" }, true, true},
		"enabled":           {func(u *Unit) { u.Enabled = true }, false, true},
		"stop timeout":      {func(u *Unit) { u.StopTimeout = time.Second }, false, true},
		"container":         {func(u *Unit) { u.Container = "7" }, false, true},
		"reload signal":     {func(u *Unit) { u.ReloadSignal = USR1 }, false, true},
		"digest":            {func(u *Unit) { u.Digest = "x" }, false, false},
		"argument":          {func(u *Unit) { u.Exec = append(u.Exec, "x") }, false, false},
		"environment":       {func(u *Unit) { u.Env = []string{"A=b"} }, false, false},
		"folder":            {func(u *Unit) { u.Dir = "/tmp" }, false, false},
		"name, same binary": {func(u *Unit) { u.Name = "other" }, false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := good(), good()
			tt.change(&b)
			if got := a.Equal(b); got != tt.equal {
				t.Errorf("Equal: got %v, want %v", got, tt.equal)
			}
			if got := a.SameProcess(b); got != tt.same {
				t.Errorf("SameProcess: got %v, want %v", got, tt.same)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Digest(path)
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if err != nil || got != want {
		t.Fatalf("got %s, %v, want %s", got, err, want)
	}
	if _, err := Digest(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("got %v, want ErrNotExist", err)
	}
}
