package standin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

// fileName is the list of backends in the stand-ins' folder.
const fileName = "backends.json"

const (
	folderMode = 0o700
	fileMode   = 0o600
)

// backend is one entry of the list.
type backend struct {
	Service string `json:"service"`
	Listen  string `json:"listen"` // IP address and port
	Scheme  string `json:"scheme"` // http or https
	// Certificate is the file with certificate and key, for https.
	Certificate string `json:"certificate,omitempty"`
	// Fingerprint is the SHA-256 of that certificate, in hexadecimal.
	Fingerprint string `json:"fingerprint,omitempty"`
}

func (b backend) url() string { return b.Scheme + "://" + b.Listen }

// validate reports every fault of the entry.
func (b backend) validate() error {
	var errs []error
	if err := name.Service(b.Service); err != nil {
		errs = append(errs, err)
	}
	if _, err := netip.ParseAddrPort(b.Listen); err != nil {
		errs = append(errs, fmt.Errorf("listen: %w", err))
	}
	if b.Scheme != "http" && b.Scheme != "https" {
		errs = append(errs, fmt.Errorf("scheme %.20q is neither http nor https", b.Scheme))
	}
	if b.Scheme == "https" && b.Certificate == "" {
		errs = append(errs, errors.New("https without a certificate"))
	}
	return errors.Join(errs...)
}

// load reads a list of backends.
func load(file string) ([]backend, error) {
	raw, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("read backends: %w", err)
	}
	return parse(raw)
}

// parse reads a list of backends in JSON; an unknown key is an error.
func parse(raw []byte) ([]backend, error) {
	var list []backend
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("decode backends: %w", err)
	}
	for i, b := range list {
		if err := b.validate(); err != nil {
			return nil, fmt.Errorf("backend %d (%.80q): %w", i+1, b.Service, err)
		}
	}
	return list, nil
}

// save writes the list and returns the digest of what it wrote.
func save(file string, list []backend) (digest string, err error) {
	raw, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode backends: %w", err)
	}
	if err := renameio.WriteFile(file, append(raw, '\n'), fileMode); err != nil {
		return "", fmt.Errorf("save backends: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}
