package stepca

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.step.sm/crypto/pemutil"
)

// initialise makes the layout unless it is there. It is made beside its place
// and moved there by one rename, so a crash leaves either nothing or all of it;
// what a former attempt left is thrown away.
func initialise(l layout, o Options) (created bool, err error) {
	half := l.half()
	if err := os.RemoveAll(string(half)); err != nil {
		return false, fmt.Errorf("throw the half-made CA away: %w", err)
	}
	switch _, err := os.Stat(string(l)); {
	case err == nil:
		return false, nil
	case !errors.Is(err, os.ErrNotExist):
		return false, fmt.Errorf("look for the CA: %w", err)
	}
	files, err := newFiles(l, o)
	if err != nil {
		return false, fmt.Errorf("make the CA: %w", err)
	}
	if err := files.write(half); err != nil {
		return false, fmt.Errorf("write the CA: %w", err)
	}
	if err := os.Rename(string(half), string(l)); err != nil {
		return false, fmt.Errorf("put the CA into its place: %w", err)
	}
	if err := syncFolder(filepath.Dir(string(l))); err != nil {
		return false, fmt.Errorf("put the CA into its place: %w", err)
	}
	return true, nil
}

// fileSet is the content of a layout: path below its folder → content.
type fileSet map[string][]byte

// newFiles makes the keys, the certificates and the configuration that refers
// to them at their final place.
func newFiles(l layout, o Options) (fileSet, error) {
	passwords := struct{ root, intermediate, admin string }{rand.Text(), rand.Text(), rand.Text()}
	root, err := newRoot(o)
	if err != nil {
		return nil, err
	}
	intermediate, err := newIntermediate(o, root)
	if err != nil {
		return nil, err
	}
	rootKey, err := encryptKey(root.key, passwords.root)
	if err != nil {
		return nil, fmt.Errorf("encrypt the root's key: %w", err)
	}
	intermediateKey, err := encryptKey(intermediate.key, passwords.intermediate)
	if err != nil {
		return nil, fmt.Errorf("encrypt the intermediate's key: %w", err)
	}
	admin, err := newAdminKey(passwords.admin)
	if err != nil {
		return nil, fmt.Errorf("provisioner %q: %w", provisionerAdmin, err)
	}
	config, err := newConfig(l, o, admin)
	if err != nil {
		return nil, err
	}
	defaults, err := newDefaults(l, o, root.certificate)
	if err != nil {
		return nil, err
	}
	out := fileSet{}
	for path, content := range map[string][]byte{
		l.config(): config, l.defaults(): defaults,
		l.root(): encodeCertificate(root.certificate), l.intermediate(): encodeCertificate(intermediate.certificate),
		l.rootKey(): rootKey, l.intermediateKey(): intermediateKey,
		l.rootPassword(): line(passwords.root), l.password(): line(passwords.intermediate), l.adminPassword(): line(passwords.admin),
	} {
		below, err := filepath.Rel(string(l), path)
		if err != nil {
			return nil, err
		}
		out[below] = content
	}
	return out, nil
}

// write puts all files below the folder and sees them safely on disk.
func (s fileSet) write(folder layout) error {
	folders := map[string]struct{}{string(folder): {}, folder.database(): {}}
	for below := range s {
		folders[filepath.Dir(folder.path(below))] = struct{}{}
	}
	for f := range folders {
		if err := os.MkdirAll(f, 0o700); err != nil {
			return err
		}
	}
	for below, content := range s {
		if err := writePrivate(folder.path(below), content); err != nil {
			return err
		}
	}
	for f := range folders {
		if err := syncFolder(f); err != nil {
			return err
		}
	}
	return nil
}

func writePrivate(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // below the CA's own folder
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	f, err := os.Open(path) //nolint:gosec // the CA's own folder
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func encryptKey(key any, password string) ([]byte, error) {
	block, err := pemutil.Serialize(key, pemutil.WithPassword([]byte(password)))
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

func encodeCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func line(s string) []byte { return []byte(s + "\n") }

// newDefaults renders what `step` reads to find the CA.
func newDefaults(l layout, o Options, root *x509.Certificate) ([]byte, error) {
	out, err := json.MarshalIndent(map[string]string{
		"ca-url": url(o.Listen), "ca-config": l.config(), "fingerprint": fingerprint(root), "root": l.root(),
	}, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("render step's defaults: %w", err)
	}
	return append(out, '\n'), nil
}
