package home

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// listening is the state of a listening socket in /proc/net/tcp.
const listening = "0A"

// listener is a listening socket as the kernel lists it.
type listener struct {
	local netip.AddrPort
	uid   uint32
	inode uint64
}

// covers reports whether the listener keeps others from listening on address.
func (l listener) covers(address netip.AddrPort) bool {
	if l.local.Port() != address.Port() {
		return false
	}
	have, want := l.local.Addr().Unmap(), address.Addr().Unmap()
	return have == want || have.IsUnspecified() || want.IsUnspecified()
}

// readListeners reads what listens in this network namespace.
func readListeners(proc string) ([]listener, error) {
	var all []listener
	for _, name := range []string{"tcp", "tcp6"} {
		f, err := os.Open(filepath.Join(proc, "net", name)) //nolint:gosec // a fixed name
		if errors.Is(err, os.ErrNotExist) {
			continue // IPv6 is switched off
		}
		if err != nil {
			return nil, fmt.Errorf("open list of sockets: %w", err)
		}
		list, err := parseListeners(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name(), err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// parseListeners picks the listening sockets from the kernel's table.
func parseListeners(r io.Reader) ([]listener, error) {
	var list []listener
	s := bufio.NewScanner(r)
	s.Scan() // the heading
	for s.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
		fields := strings.Fields(s.Text())
		if len(fields) < 10 {
			return nil, fmt.Errorf("line %.100q has %d fields", s.Text(), len(fields))
		}
		if fields[3] != listening {
			continue
		}
		l, err := parseListener(fields)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	return list, nil
}

func parseListener(fields []string) (listener, error) {
	local, err := parseAddress(fields[1])
	if err != nil {
		return listener{}, err
	}
	uid, err := strconv.ParseUint(fields[7], 10, 32)
	if err != nil {
		return listener{}, fmt.Errorf("uid: %w", err)
	}
	inode, err := strconv.ParseUint(fields[9], 10, 64)
	if err != nil {
		return listener{}, fmt.Errorf("inode: %w", err)
	}
	return listener{local: local, uid: uint32(uid), inode: inode}, nil
}

// parseAddress reads an address in hexadecimal: 32-bit words in the machine's
// order (little-endian on every machine that Phoenix is built for), a colon,
// and the port.
func parseAddress(s string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, fmt.Errorf("address %.60q is not one", s)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	p, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port of %.60q: %w", s, err)
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr, uint16(p)), nil
}
