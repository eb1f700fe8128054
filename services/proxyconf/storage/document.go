package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// document is the file's content: resolver → what it holds.
type document map[string]*resolver

type resolver struct {
	Account      *account `json:"Account"`
	Certificates []entry  `json:"Certificates"`
}

// account is an ACME account. Traefik makes one when there is none with an
// e-mail address, and registers it when it has no registration.
type account struct {
	Email        string          `json:"Email"`
	Registration json.RawMessage `json:"Registration"`
	PrivateKey   []byte          `json:"PrivateKey"` // PKCS #1, DER
	KeyType      string          `json:"KeyType"`
}

// entry is one certificate. Traefik encodes the PEM texts in base64.
type entry struct {
	Domain      domain `json:"domain"`
	Certificate []byte `json:"certificate"`
	Key         []byte `json:"key"`
	Store       string `json:"Store"`
}

type domain struct {
	Main string   `json:"main"`
	SANs []string `json:"sans,omitempty"`
}

// errIncomplete says that the file is not a whole document.
var errIncomplete = errors.New("file is empty or cut short")

// IsIncomplete says that the file was empty or cut short.
func IsIncomplete(err error) bool { return errors.Is(err, errIncomplete) }

// parse reads a whole document, or fails. Its errors quote nothing.
func parse(content []byte) (document, error) {
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, errIncomplete
	}
	var d document
	if err := json.Unmarshal(content, &d); err != nil || d == nil {
		return nil, errIncomplete
	}
	maps.DeleteFunc(d, func(_ string, r *resolver) bool { return r == nil })
	return d, nil
}

// marshal renders the document as Traefik does.
func (d document) marshal() ([]byte, error) {
	out, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("render certificates: %w", err)
	}
	return out, nil
}

// pair returns the certificate and key for the entry's own host.
func (e entry) pair() (seal.Pair, error) {
	return seal.NewPair(e.Domain.Main, e.Certificate, e.Key)
}

// writeFile replaces a file in one step, for its owner alone. The new content never
// lies outside the file's own folder.
func writeFile(path string, content []byte) error {
	return renameio.WriteFile(path, content, private, renameio.WithTempDir(filepath.Dir(path)))
}

// resolvers returns the names, always in the same order.
func (d document) resolvers() []string { return slices.Sorted(maps.Keys(d)) }
