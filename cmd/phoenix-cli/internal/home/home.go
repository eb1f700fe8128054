// Package home knows the folder that holds everything of one stack on one
// machine: where it is, what lies in it, who may use it, and what stands in its
// way.
//
// One home is one stack, one host, one bus and one block of addresses.
package home

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
)

// DefaultAddresses is the block of addresses of a home that asks for no other.
const DefaultAddresses = "127.0.1"

// folderMode and fileMode keep a home to its owner.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// marker is the file that makes a folder a home.
const marker = "home.json"

// ErrNoHome says that a folder is not a home (yet).
var ErrNoHome = errors.New("no Phoenix home")

// Home is one stack's folder.
type Home struct {
	// Root is the folder's absolute path.
	Root string `json:"-"`
	// ID tells this home from every other, also after it was moved.
	ID string `json:"id"`
	// Created is when the folder became a home.
	Created time.Time `json:"created"`
	// Addresses is the block of loopback addresses, three octets.
	Addresses string `json:"addresses"`
}

// Root returns the folder that the environment names: $PHOENIX_HOME, else
// phoenix in the XDG state folder.
func Root(getenv func(string) string) (string, error) {
	if dir := getenv("PHOENIX_HOME"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("make PHOENIX_HOME %q absolute: %w", dir, err)
		}
		return abs, nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "phoenix"), nil
	}
	if dir := getenv("HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, ".local", "state", "phoenix"), nil
	}
	return "", errors.New("no home: neither PHOENIX_HOME nor XDG_STATE_HOME nor HOME is set; set PHOENIX_HOME to a folder of yours")
}

// Open makes root a home unless it is one, and checks that it can be written
// and has room. An empty block of addresses means whatever the home has,
// DefaultAddresses for a new one; another block than the home's is an
// [AddressesError].
func Open(root, addresses string) (*Home, error) {
	if err := makeFolder(root); err != nil {
		return nil, err
	}
	h, err := Read(root)
	if errors.Is(err, ErrNoHome) {
		h, err = create(root, addresses)
	}
	if err != nil {
		return nil, err
	}
	if addresses != "" && addresses != h.Addresses {
		return nil, &AddressesError{Home: h, Wanted: addresses}
	}
	return h, errors.Join(checkWritable(root), h.CheckSpace())
}

// Read returns the home at root without touching anything; ErrNoHome when
// there is none.
func Read(root string) (*Home, error) {
	raw, err := os.ReadFile(filepath.Join(root, marker)) //nolint:gosec // the folder is the user's choice
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s", ErrNoHome, root)
	}
	if err != nil {
		return nil, fmt.Errorf("read home: %w", explain(root, err))
	}
	h := &Home{Root: root}
	if err := json.Unmarshal(raw, h); err != nil {
		return nil, fmt.Errorf("read home: %s: %w", filepath.Join(root, marker), err)
	}
	if h.ID == "" || h.Addresses == "" {
		return nil, fmt.Errorf("read home: %s has no id or no addresses", filepath.Join(root, marker))
	}
	return h, nil
}

// create writes the marker into an empty folder.
func create(root, addresses string) (*Home, error) {
	if err := checkEmpty(root); err != nil {
		return nil, err
	}
	if addresses == "" {
		addresses = DefaultAddresses
	}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	h := &Home{Root: root, ID: hex.EncodeToString(id), Created: time.Now().UTC().Truncate(time.Second), Addresses: addresses}
	raw, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode home: %w", err)
	}
	if err := checkSpace(root); err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(filepath.Join(root, marker), append(raw, '\n'), fileMode); err != nil {
		return nil, fmt.Errorf("write home: %w", explain(root, err))
	}
	return h, nil
}

// checkEmpty keeps a folder with other things in it from becoming a home, since
// a home's folder is emptied when it is purged.
func checkEmpty(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return fmt.Errorf("look into home: %w", explain(root, err))
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w at %s, and the folder is not empty (it has %s): set PHOENIX_HOME to an empty or a new folder",
			ErrNoHome, root, entries[0].Name())
	}
	return nil
}

// AddressesError says that a home has another block of addresses than wanted.
type AddressesError struct {
	Home   *Home
	Wanted string
}

func (e *AddressesError) Error() string {
	return fmt.Sprintf("home %s has the addresses %s, not %s: set PHOENIX_HOME to another folder for a second stack, "+
		"or remove this one first (phoenix-cli down --purge)", e.Home.Root, e.Home.Addresses, e.Wanted)
}
