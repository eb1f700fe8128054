package home

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"
)

// Holder is who listens on an address.
type Holder struct {
	// PID is the process, or 0 when it belongs to another user.
	PID int
	// Command is what the process calls itself.
	Command string
	// Home is the root of the Phoenix home that the process belongs to, if any.
	Home string
	// UID is the user who made the socket.
	UID uint32
}

func (h Holder) String() string {
	var s string
	switch {
	case h.PID == 0:
		s = "a process of " + userName(h.UID)
	case h.Command == "":
		s = fmt.Sprintf("process %d", h.PID)
	default:
		s = fmt.Sprintf("process %d (%s)", h.PID, h.Command)
	}
	if h.Home != "" {
		s += " of the Phoenix home " + h.Home
	}
	return s
}

// ErrNoHolder says that nobody listens on an address.
var ErrNoHolder = errors.New("nobody listens there")

// PortHolder returns who listens on address, an IP address and a port, be it on
// all addresses of the machine; ErrNoHolder when nobody does.
func PortHolder(address string) (Holder, error) {
	want, err := netip.ParseAddrPort(address)
	if err != nil {
		return Holder{}, fmt.Errorf("find who listens: %w", err)
	}
	listeners, err := readListeners("/proc")
	if err != nil {
		return Holder{}, fmt.Errorf("find who listens on %s: %w", address, err)
	}
	i := slices.IndexFunc(listeners, func(l listener) bool { return l.covers(want) })
	if i < 0 {
		return Holder{}, fmt.Errorf("find who listens on %s: %w", address, ErrNoHolder)
	}
	return holderOf(listeners[i])
}

// holderOf looks for the process that has the listener's socket.
func holderOf(l listener) (Holder, error) {
	procs, err := procfs.AllProcs()
	if err != nil {
		return Holder{}, fmt.Errorf("list processes: %w", err)
	}
	holder := Holder{UID: l.uid}
	target := fmt.Sprintf("socket:[%d]", l.inode)
	for _, p := range procs {
		targets, err := p.FileDescriptorTargets()
		if err != nil || !slices.Contains(targets, target) {
			continue
		}
		holder.PID, holder.Command, holder.Home = p.PID, command(p), homeOf(p)
		if holder.Home != "" {
			break
		}
	}
	return holder, nil
}

// command returns what the process was started as, without its arguments'
// values, or its name when that can't be told.
func command(p procfs.Proc) string {
	if line, err := p.CmdLine(); err == nil && len(line) > 0 && line[0] != "" {
		return shorten(line)
	}
	name, err := p.Comm()
	if err != nil {
		return ""
	}
	return name
}

// shorten keeps the program's name and a first plain word after it.
func shorten(line []string) string {
	name, rest, titled := strings.Cut(line[0], ": ")
	if titled { // "nginx: master process /usr/sbin/nginx"
		return name + ": " + rest
	}
	name = filepath.Base(name)
	if len(line) > 1 && !strings.HasPrefix(line[1], "-") && !strings.ContainsAny(line[1], "/=") {
		name += " " + line[1]
	}
	return name
}

// describe names a process by its number and command.
func describe(pid int) string {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return fmt.Sprint(pid)
	}
	return fmt.Sprintf("%d (%s)", pid, command(p))
}

// homeOf returns the home that a process belongs to, or nothing. A program that
// writes its title over its environment, as nginx does, is found by its output
// or its working folder.
func homeOf(p procfs.Proc) string {
	env, err := p.Environ()
	if err != nil {
		return ""
	}
	getenv := lookup(env)
	if dir := getenv("PHOENIX_HOME"); dir != "" {
		return dir
	}
	if strings.HasPrefix(command(p), "phoenix-cli") {
		if root, err := Root(getenv); err == nil {
			return root
		}
	}
	for _, link := range []string{"fd/1", "cwd"} {
		if path, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", p.PID, link)); err == nil {
			if root := homeAbove(path); root != "" {
				return root
			}
		}
	}
	return ""
}

// homeAbove returns the home that path lies in, or nothing.
func homeAbove(path string) string {
	if !filepath.IsAbs(path) { // such as pipe:[4711]
		return ""
	}
	for dir := path; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := Read(dir); err == nil {
			return dir
		}
	}
	return ""
}

func lookup(env []string) func(string) string {
	return func(key string) string {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, key+"="); ok {
				return v
			}
		}
		return ""
	}
}

// PortError says that an address that the home needs cannot be had.
type PortError struct {
	Address string
	// Holder is who has it, if that is the reason.
	Holder *Holder
	reason error
}

func (e *PortError) Unwrap() error { return e.reason }

func (e *PortError) Error() string {
	switch {
	case e.Holder != nil && e.Holder.Home != "":
		return fmt.Sprintf("address %s is taken by %s: stop that one (PHOENIX_HOME=%s phoenix-cli down), or choose another block of addresses",
			e.Address, e.Holder, e.Holder.Home)
	case e.Holder != nil:
		return fmt.Sprintf("address %s is taken by %s: stop it, or choose another block of addresses", e.Address, e.Holder)
	case errors.Is(e.reason, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("address %s is not one of this machine: choose a block of loopback addresses, such as "+DefaultAddresses, e.Address)
	case errors.Is(e.reason, os.ErrPermission):
		return fmt.Sprintf("address %s needs rights that this user does not have: choose a port above 1023", e.Address)
	}
	return fmt.Sprintf("address %s cannot be had: %v", e.Address, e.reason)
}

// CheckPorts tries to listen on each address, and returns a [PortError] for
// each one that cannot be had, all joined. What is held by this home itself is
// no error.
func (h *Home) CheckPorts(ctx context.Context, addresses []string) error {
	var errs []error
	for _, a := range addresses {
		if err := h.checkPort(ctx, a); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (h *Home) checkPort(ctx context.Context, address string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err == nil {
		return l.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return &PortError{Address: address, reason: err}
	}
	holder, herr := PortHolder(address)
	if herr != nil {
		return &PortError{Address: address, reason: err}
	}
	if sameFolder(holder.Home, h.Root) {
		return nil
	}
	return &PortError{Address: address, Holder: &holder, reason: err}
}

// sameFolder reports whether both paths lead to one folder.
func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
