package home

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	h, err := Open(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := h.Lock(t.Context(), HostLock)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = h.Lock(ctx, HostLock)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Fatalf("held: got %v, want a LockedError with this process", err)
	}
	other, err := h.Lock(t.Context(), UpLock)
	if err != nil {
		t.Fatalf("another lock: %v", err)
	}
	if err := errors.Join(first.Release(), other.Release()); err != nil {
		t.Fatal(err)
	}
	again, err := h.Lock(t.Context(), HostLock)
	if err != nil {
		t.Fatalf("released: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestLockWaits(t *testing.T) {
	h, err := Open(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := h.Lock(t.Context(), HostLock)
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(50*time.Millisecond, func() { _ = first.Release() })
	defer timer.Stop()
	second, err := h.Lock(t.Context(), HostLock)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
}
