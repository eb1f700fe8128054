package act

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// digests remembers the digests of programs for as long as their size and time
// stay the same: hashing all of them takes longer than all else that a run does
// when nothing has changed. The zero value is ready to use.
type digests struct {
	mu    sync.Mutex
	known map[string]fingerprint
}

type fingerprint struct {
	size   int64
	time   time.Time
	digest string
}

// of returns the digest of the program at path.
func (d *digests) of(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("look at program: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.known[path]; ok && f.size == info.Size() && f.time.Equal(info.ModTime()) {
		return f.digest, nil
	}
	digest, err := unit.Digest(path)
	if err != nil {
		return "", err
	}
	if d.known == nil {
		d.known = map[string]fingerprint{}
	}
	d.known[path] = fingerprint{info.Size(), info.ModTime(), digest}
	return digest, nil
}
