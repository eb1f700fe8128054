package storage

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// BrokenPath is where a file lies that was set aside because it was broken.
func BrokenPath(path string) string { return path + ".broken" }

// Wish is what the file shall hold.
type Wish struct {
	Resolvers []string // the names of all resolvers, one at least
	Account   Account  // of each resolver
	// Wanted says whether a host is still routed; nil means all are.
	Wanted func(host string) bool
	// Roots must have signed; nil means whoever.
	Roots *x509.CertPool
}

// Mended tells what was done to the file.
type Mended struct {
	Restored bool     // it was broken, and the last whole copy took its place
	SetAside bool     // it was broken, and there is no copy: Traefik orders anew
	Dropped  []string // hosts whose certificate was taken out
}

// Mend makes the file at path one that Traefik can start with; it must not be
// running. A broken file is replaced by the last whole copy, or set aside. Taken
// out are entries that hold no pair that can be used now, the shorter-lived one of
// two for the same host, and those of hosts that nobody wants any more: Traefik
// would keep the first and go on renewing the last for ever. What a resolver holds
// that is no more goes to the first.
func Mend(path string, w Wish) (Mended, error) {
	var m Mended
	content, err := os.ReadFile(filepath.Clean(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("read Traefik's certificates: %w", err)
	}
	doc, err := parse(content)
	if err != nil {
		if doc, err = m.recover(path, content); err != nil {
			return m, err
		}
	}
	doc = doc.gather(w)
	m.Dropped = doc.drop(w)
	return m, doc.write(path, content)
}

// recover deals with a file that is no whole document: it returns that of the
// copy, or an empty one.
func (m *Mended) recover(path string, content []byte) (document, error) {
	broken := len(content) > 0
	if broken {
		if err := writeFile(BrokenPath(path), content); err != nil {
			return nil, fmt.Errorf("set Traefik's broken certificates aside: %w", err)
		}
	}
	good, err := os.ReadFile(GoodPath(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the copy of Traefik's certificates: %w", err)
	}
	doc, err := parse(good)
	if err != nil {
		m.SetAside = broken
		return document{}, nil
	}
	m.Restored = true
	return doc, nil
}

// gather returns the document with the wished resolvers alone.
func (d document) gather(w Wish) document {
	out := document{}
	for _, name := range w.Resolvers {
		out[name] = &resolver{Account: w.Account.entry()}
		if r, ok := d[name]; ok {
			out[name].Certificates = r.Certificates
		}
	}
	first := out[w.Resolvers[0]]
	for _, name := range d.resolvers() {
		if _, ok := out[name]; !ok {
			first.Certificates = append(first.Certificates, d[name].Certificates...)
		}
	}
	return out
}

// drop takes out what is of no use, and returns the hosts.
func (d document) drop(w Wish) []string {
	var dropped []string
	newest := d.newest(w)
	for _, r := range d {
		r.Certificates = slices.DeleteFunc(r.Certificates, func(e entry) bool {
			if newest[e.Domain.Main] == e.id() {
				delete(newest, e.Domain.Main) // one of several equals is enough
				return false
			}
			dropped = append(dropped, e.Domain.Main)
			return true
		})
	}
	slices.Sort(dropped)
	return slices.Compact(dropped)
}

// newest returns, by host, the longest-lived pair of those that are of use.
func (d document) newest(w Wish) map[string]entryID {
	out, ends := map[string]entryID{}, map[string]time.Time{}
	for _, r := range d {
		for _, e := range r.Certificates {
			pair, err := e.pair()
			if err == nil && w.accepts(pair) && pair.NotAfter.After(ends[pair.Host]) {
				out[pair.Host], ends[pair.Host] = e.id(), pair.NotAfter
			}
		}
	}
	return out
}

func (w Wish) accepts(p seal.Pair) bool {
	return (w.Wanted == nil || w.Wanted(p.Host)) && (w.Roots == nil || p.Verify(w.Roots) == nil)
}

// write stores the document for its owner alone, unless it is there already.
func (d document) write(path string, former []byte) error {
	content, err := d.marshal()
	if err != nil {
		return err
	}
	if bytes.Equal(content, former) {
		err = os.Chmod(path, private)
	} else {
		err = writeFile(path, content)
	}
	if err != nil {
		return fmt.Errorf("write Traefik's certificates: %w", err)
	}
	return nil
}
