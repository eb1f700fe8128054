package storage

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

const private = 0o600

// GoodPath is where the last whole copy of the file at path lies.
func GoodPath(path string) string { return path + ".good" }

// Reader reads the file again and again. It is not safe for concurrent use.
type Reader struct {
	path string
	last []byte // content of the last whole file
	kept bool   // last is in the copy
	seen map[entryID]seal.Pair
}

// NewReader returns a reader of the file at path.
func NewReader(path string) *Reader {
	return &Reader{path: path, seen: map[entryID]seal.Pair{}}
}

// Pairs are the certificates and keys of a whole file, by host.
type Pairs struct {
	ByHost map[string]seal.Pair
	// Broken lists the hosts whose entry holds no usable pair.
	Broken []string
}

// Read returns the pairs in the file. changed is false, and there are no pairs,
// when the file is as it was at the last call. An error that [IsIncomplete]
// means: later.
func (r *Reader) Read() (p Pairs, changed bool, err error) {
	content, err := os.ReadFile(r.path)
	if err != nil {
		return Pairs{}, false, fmt.Errorf("read Traefik's certificates: %w", err)
	}
	if r.last != nil && bytes.Equal(content, r.last) {
		return Pairs{}, false, nil
	}
	doc, err := parse(content)
	if err != nil {
		return Pairs{}, false, fmt.Errorf("read Traefik's certificates: %w", err)
	}
	r.last, r.kept = content, false
	return r.pairs(doc), true, nil
}

// Keep stores the last whole content as the copy that [Mend] falls back to.
func (r *Reader) Keep() error {
	if r.last == nil || r.kept {
		return nil
	}
	if err := writeFile(GoodPath(r.path), r.last); err != nil {
		return fmt.Errorf("keep a copy of Traefik's certificates: %w", err)
	}
	r.kept = true
	return nil
}

// pairs collects the entries. What was checked at a former call is not checked
// again: a file of a thousand entries changes one at a time.
func (r *Reader) pairs(doc document) Pairs {
	out := Pairs{ByHost: map[string]seal.Pair{}}
	seen := make(map[entryID]seal.Pair, len(r.seen))
	for _, name := range doc.resolvers() {
		for _, e := range doc[name].Certificates {
			id := e.id()
			pair, known := r.seen[id]
			if !known {
				var err error
				if pair, err = e.pair(); err != nil {
					out.Broken = append(out.Broken, e.Domain.Main)
					continue
				}
			}
			seen[id] = pair
			if now, ok := out.ByHost[pair.Host]; !ok || pair.NotAfter.After(now.NotAfter) {
				out.ByHost[pair.Host] = pair
			}
		}
	}
	r.seen = seen
	return out
}

// entryID stands for everything in an entry.
type entryID [sha256.Size]byte

func (e entry) id() entryID {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(e.Domain.Main), e.Certificate, e.Key} {
		_, _ = fmt.Fprintf(h, "%d:", len(part)) // never fails
		_, _ = h.Write(part)
	}
	return entryID(h.Sum(nil))
}
