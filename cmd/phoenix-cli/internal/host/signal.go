package host

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// number returns the signal of that name, which a definition's check has let
// through.
func number(name unit.Signal) syscall.Signal { return unix.SignalNum("SIG" + string(name)) }
