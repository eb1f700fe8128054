package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	check(t, rotate(path, 10)) // nothing there is no error
	log, err := openLog(path)
	check(t, err)
	defer func() { _ = log.Close() }()
	say := func(s string) {
		_, err := fmt.Fprint(log, s)
		check(t, err)
	}
	have := func(path, want string) {
		t.Helper()
		if raw, err := os.ReadFile(path); err != nil || string(raw) != want {
			t.Errorf("%s: got %q, %v, want %q", path, raw, err, want)
		}
	}
	say("one")
	check(t, rotate(path, 10))
	have(path, "one")
	say(" and two, which is more")
	check(t, rotate(path, 10))
	have(path, "")
	have(path+oldSuffix, "one and two, which is more")
	say("three")
	have(path, "three") // not after a hole where it left off
	say(strings.Repeat(".", 10))
	check(t, rotate(path, 10))
	have(path+oldSuffix, "three..........")
	if info, err := os.Stat(path + oldSuffix); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v, %v", info.Mode(), err)
	}
}

func TestRotateWithoutRoomKeepsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	check(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	check(t, os.Mkdir(path+oldSuffix+"~", 0o700)) // no copy can be made
	if err := rotate(path, 10); err == nil {
		t.Error("got no error")
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "0123456789" {
		t.Errorf("got %q, %v", raw, err)
	}
}
