package home

import (
	"fmt"
	"path/filepath"
)

// Host is the folder of the host's own files.
func (h *Home) Host() string { return filepath.Join(h.Root, "host") }

// Units is the folder of the units' definitions.
func (h *Home) Units() string { return filepath.Join(h.Host(), "units") }

// Running is the folder of what the host knows about running units.
func (h *Home) Running() string { return filepath.Join(h.Host(), "running") }

// Logs is the folder of the units' logs.
func (h *Home) Logs() string { return filepath.Join(h.Host(), "log") }

// HostLog is the file that the host's own log goes to when it runs in the
// background.
func (h *Home) HostLog() string { return filepath.Join(h.Host(), "host.log") }

// Socket is the path of the host's socket; "unix:" and it is the address that
// pkg/unit takes. It may be longer than the kernel takes as a socket's name:
// pkg/unit listens and dials all the same.
func (h *Home) Socket() string { return filepath.Join(h.Host(), "host.sock") }

// Containers is the folder of the containers, one folder each.
func (h *Home) Containers() string { return filepath.Join(h.Root, "containers") }

// Container is the folder of the container with this id.
func (h *Home) Container(id string) string { return filepath.Join(h.Containers(), id) }

// Address is the address with this last octet in the home's block.
func (h *Home) Address(last int) string { return fmt.Sprintf("%s.%d", h.Addresses, last) }

// DefaultBlock reports whether the home has the default block of addresses.
func (h *Home) DefaultBlock() bool { return h.Addresses == DefaultAddresses }
