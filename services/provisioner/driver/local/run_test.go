package local

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

func TestRun(t *testing.T) {
	d, _, _ := newDriver(t)
	create(t, d)
	out, err := d.Run(t.Context(), home(103), driver.Command{Exec: []string{"sh", "-c", "pwd; cat; echo no >&2; exit 3"}, Stdin: []byte("in")})
	if err != nil {
		t.Fatal(err)
	}
	if want := d.Root(103) + "\nin"; string(out.Stdout) != want || string(out.Stderr) != "no\n" || out.Code != 3 {
		t.Errorf("output is %q, %q, %d, want %q", out.Stdout, out.Stderr, out.Code, want)
	}
}

func TestRunIsBounded(t *testing.T) {
	d, _, _ := newDriver(t)
	create(t, d)
	out, err := d.Run(t.Context(), home(103), driver.Command{Exec: []string{"sh", "-c", "yes | head -c 200000"}})
	if err != nil || len(out.Stdout) != maxOutput {
		t.Errorf("%d bytes of output, %v, want %d", len(out.Stdout), err, maxOutput)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Run(ctx, home(103), driver.Command{Exec: []string{"sleep", "60"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("endless command: %v, want the deadline", err)
	}
}

func TestRunRefuses(t *testing.T) {
	d, _, _ := newDriver(t)
	create(t, d)
	if _, err := d.Run(t.Context(), driver.Ref{ID: 103, Stack: "other"}, driver.Command{Exec: []string{"true"}}); !errors.Is(err, driver.ErrForeign) {
		t.Errorf("foreign: %v, want ErrForeign", err)
	}
	if _, err := d.Run(t.Context(), home(103), driver.Command{}); err == nil {
		t.Error("no command at all was run")
	}
	if _, err := d.Run(t.Context(), home(103), driver.Command{Exec: []string{"/nowhere"}}); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("no such program: %v", err)
	}
}
