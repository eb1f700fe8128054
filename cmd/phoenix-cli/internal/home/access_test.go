package home

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestEnough(t *testing.T) {
	tests := map[string]struct {
		free uint64
		full bool
	}{
		"nothing":   {0, true},
		"just less": {minFree - 1, true},
		"just":      {minFree, false},
		"plenty":    {1 << 40, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := enough("/r", tt.free)
			if errors.Is(err, ErrDiskFull) != tt.full {
				t.Fatalf("got %v, want full: %v", err, tt.full)
			}
			if err != nil && !strings.Contains(err.Error(), "PHOENIX_HOME") {
				t.Errorf("%v does not say what to do", err)
			}
		})
	}
}

func TestExplainSaysWhatToDo(t *testing.T) {
	root := t.TempDir() + "/below"
	for _, number := range []syscall.Errno{syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.ENOTDIR} {
		err := explain(root, &os.PathError{Op: "open", Path: root, Err: number})
		if !errors.Is(err, number) || !strings.Contains(err.Error(), "set PHOENIX_HOME") {
			t.Errorf("%v: got %v", number, err)
		}
	}
	if err := explain(root, os.ErrPermission); !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("got %v, want the owner", err)
	}
	plain := errors.New("else")
	if err := explain(root, plain); !errors.Is(err, plain) || err.Error() != "else" {
		t.Errorf("got %v, want it unchanged", err)
	}
}

func TestOpenUnwritable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere")
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o500); err != nil { //nolint:gosec // a folder needs x
		t.Fatal(err)
	}
	if _, err := Open(root, ""); !errors.Is(err, os.ErrPermission) {
		t.Fatalf("got %v, want ErrPermission", err)
	}
}
