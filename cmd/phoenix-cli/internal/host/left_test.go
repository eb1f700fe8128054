package host

import (
	"slices"
	"testing"
)

func TestLeft(t *testing.T) {
	h := newHome(t)
	p := startHost(t, h)
	bring(t, p, shell("a", lasting))
	says(t, p, "a", "up", 1)
	p.kill(t)
	if names, err := Left(h); err != nil || !slices.Equal(names, []string{"a"}) {
		t.Errorf("got %v, %v, want the unit that runs on", names, err)
	}
	lock, err := Stop(t.Context(), h, discard())
	check(t, err)
	check(t, lock.Release())
	if names, err := Left(h); err != nil || len(names) != 0 {
		t.Errorf("got %v, %v, want none", names, err)
	}
}
