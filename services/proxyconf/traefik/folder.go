package traefik

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"
)

const (
	private       = 0o600
	privateFolder = 0o700
)

// Folder holds Traefik's files. All of them are for their owner alone.
type Folder string

// Prepare makes the folder and those in it, and removes what a write that was cut
// short left behind.
func (f Folder) Prepare() error {
	if err := f.clear(); err != nil {
		return fmt.Errorf("clear Traefik's folder: %w", err)
	}
	for _, dir := range []string{string(f), f.Dynamic(), f.trust(), f.temporary()} {
		if err := os.MkdirAll(dir, privateFolder); err != nil {
			return fmt.Errorf("make Traefik's folder: %w", err)
		}
	}
	return nil
}

// clear removes temporary files: those in their own folder, and those beside the
// certificates, whose names begin with a dot.
func (f Folder) clear() error {
	left, err := filepath.Glob(f.path(".ac*"))
	if err != nil {
		return err
	}
	for _, path := range append(left, f.temporary()) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// Dynamic is the folder that Traefik watches.
func (f Folder) Dynamic() string { return f.path("dynamic") }

func (f Folder) dynamicFile() string { return filepath.Join(f.Dynamic(), "phoenix.yml") }

// Storage is where Traefik keeps its ACME accounts, certificates and keys.
func (f Folder) Storage() string { return f.path("acme.json") }

// Account is the key of the ACME account.
func (f Folder) Account() string { return f.path("account.pem") }

func (f Folder) trust() string { return f.path("trust") }

// temporary is outside the watched folder, so that Traefik reads a new
// configuration once and not at each step of its writing.
func (f Folder) temporary() string { return f.path("tmp") }

func (f Folder) path(elem ...string) string {
	return filepath.Join(append([]string{string(f)}, elem...)...)
}

// WriteStatic stores a static configuration under a name of its own, so that a
// changed one changes Traefik's command line, and removes the others.
func (f Folder) WriteStatic(content []byte) (path string, err error) {
	path = f.path("static-" + digest(content) + ".yml")
	if there, err := os.ReadFile(filepath.Clean(path)); err == nil && bytes.Equal(there, content) {
		return path, nil
	}
	if err := f.write(path, content); err != nil {
		return "", fmt.Errorf("write Traefik's static configuration: %w", err)
	}
	others, err := filepath.Glob(f.path("static-*.yml"))
	if err != nil {
		return "", fmt.Errorf("list Traefik's static configurations: %w", err)
	}
	for _, other := range others {
		if other == path {
			continue
		}
		if err := os.Remove(other); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("remove a former static configuration: %w", err)
		}
	}
	return path, nil
}

// WriteDynamic replaces the dynamic configuration in one step.
func (f Folder) WriteDynamic(content []byte) error {
	if err := f.write(f.dynamicFile(), content); err != nil {
		return fmt.Errorf("write Traefik's dynamic configuration: %w", err)
	}
	return nil
}

// Trust stores certificates in PEM under a name that stands for their content:
// Traefik would not notice a file that changed under the same name.
func (f Folder) Trust(certificates []byte) (path string, err error) {
	path = filepath.Join(f.trust(), digest(certificates)+".pem")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := f.write(path, certificates); err != nil {
		return "", fmt.Errorf("write trusted certificates: %w", err)
	}
	return path, nil
}

// KeepTrust removes all stored certificates but the given files.
func (f Folder) KeepTrust(used []string) error {
	files, err := filepath.Glob(filepath.Join(f.trust(), "*.pem"))
	if err != nil {
		return fmt.Errorf("list trusted certificates: %w", err)
	}
	var errs []error
	for _, file := range files {
		if !slices.Contains(used, file) {
			errs = append(errs, os.Remove(file))
		}
	}
	return errors.Join(errs...)
}

// DefaultPair returns the files of the certificate and key that Traefik holds
// and never shows. They are made once.
func (f Folder) DefaultPair() (certificate, key string, err error) {
	certificate, key = f.path("default.pem"), f.path("default-key.pem")
	if _, err := tls.LoadX509KeyPair(certificate, key); err == nil {
		return certificate, key, nil
	}
	certPEM, keyPEM, err := selfSigned()
	if err != nil {
		return "", "", fmt.Errorf("make Traefik's default certificate: %w", err)
	}
	if err := errors.Join(f.write(key, keyPEM), f.write(certificate, certPEM)); err != nil {
		return "", "", fmt.Errorf("write Traefik's default certificate: %w", err)
	}
	return certificate, key, nil
}

func selfSigned() (certificate, key []byte, err error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"default.invalid"},
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, priv.Public(), priv)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, err
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// write replaces a file in one step.
func (f Folder) write(path string, content []byte) error {
	return renameio.WriteFile(path, content, private, renameio.WithTempDir(f.temporary()))
}

// digest names content in a file name.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}
