package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Folder is where the bus keeps its files:
//
//	identities/<identity>.nk   nkey seeds, 0600
//	tls/bus.crt, tls/bus.key   the pinned bootstrap certificate and its key
//	store/                     JetStream
//	nats.conf                  configuration, for reading and for a server of one's own
type Folder string

// Identities is the folder of the nkey seeds.
func (f Folder) Identities() string { return filepath.Join(string(f), "identities") }

// Seed is the file of an identity's nkey seed.
func (f Folder) Seed(id events.Identity) string {
	return filepath.Join(f.Identities(), string(id)+".nk")
}

// CA is the file of the certificates that the bus is verified against.
func (f Folder) CA() string { return filepath.Join(string(f), "tls", "bus.crt") }

func (f Folder) key() string { return filepath.Join(string(f), "tls", "bus.key") }

// Store is JetStream's folder.
func (f Folder) Store() string { return filepath.Join(string(f), "store") }

// Config is the file of the server's configuration.
func (f Folder) Config() string { return filepath.Join(string(f), "nats.conf") }

// all lists every identity that has a seed.
func all() []events.Identity {
	return append([]events.Identity{events.Bootstrap, events.Ops}, events.Services()...)
}

// identities makes the seeds that are missing and returns all public keys.
func (f Folder) identities() (map[events.Identity]string, error) {
	if err := os.MkdirAll(f.Identities(), 0o700); err != nil {
		return nil, fmt.Errorf("make the identities' folder: %w", err)
	}
	keys := map[events.Identity]string{}
	for _, id := range all() {
		public, err := loadOrMake(f.Seed(id))
		if err != nil {
			return nil, fmt.Errorf("identity %s: %w", id, err)
		}
		keys[id] = public
	}
	return keys, nil
}

func loadOrMake(path string) (public string, err error) {
	seed, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, fs.ErrNotExist) {
		return makeSeed(path)
	}
	if err != nil {
		return "", fmt.Errorf("read seed: %w", err)
	}
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		return "", fmt.Errorf("seed %s: %w", path, err)
	}
	defer pair.Wipe()
	return pair.PublicKey()
}

func makeSeed(path string) (public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	defer pair.Wipe()
	seed, err := pair.Seed()
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	if err := renameio.WriteFile(path, seed, 0o600); err != nil {
		return "", fmt.Errorf("write seed: %w", err)
	}
	return pair.PublicKey()
}
