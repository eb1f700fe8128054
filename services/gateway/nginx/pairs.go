package nginx

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// temporary begins the names of files that are being written. No host begins
// with a dot, and nginx looks for none that does.
const temporary = ".new-"

// Pairs is the folder of the certificates and keys that nginx shows.
type Pairs struct {
	root    *os.Root
	domain  string
	written atomic.Uint64 // makes names of temporary files differ
}

// OpenPairs opens the folder of pairs below prefix for hosts below domain, and
// creates it when needed. What a crash left half written goes.
func OpenPairs(prefix, domain string) (*Pairs, error) {
	folder := filepath.Join(prefix, "pairs")
	for _, h := range halves() {
		if err := os.MkdirAll(filepath.Join(folder, string(h)), 0o700); err != nil {
			return nil, fmt.Errorf("create folder of pairs: %w", err)
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open folder of pairs: %w", err)
	}
	p := &Pairs{root: root, domain: domain}
	if err := p.clean(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return p, nil
}

// Close closes the folder; its files stay.
func (p *Pairs) Close() error { return p.root.Close() }

// clean removes files that were never finished.
func (p *Pairs) clean() error {
	for _, h := range halves() {
		names, err := p.list(h)
		if err != nil {
			return err
		}
		for _, n := range names {
			if !strings.HasPrefix(n, temporary) {
				continue
			}
			if err := p.root.Remove(filepath.Join(string(h), n)); err != nil {
				return fmt.Errorf("remove unfinished file: %w", err)
			}
		}
	}
	return nil
}

// Place has nginx show the pair from the next handshake on; no handshake that
// is under way fails. A host's first pair and one with the same key as the
// former are there at once, others after about two seconds. Calls for different
// hosts may run side by side.
//
// Nothing is forced to the disk: after a power cut [Pairs.Get] says that the
// pair is not there, and it is placed again.
func (p *Pairs) Place(ctx context.Context, pair seal.Pair) error {
	if err := name.Host(pair.Host, p.domain); err != nil {
		return fmt.Errorf("place pair: %w", err)
	}
	wait := p.changesKey(pair)
	for _, h := range halves() {
		if wait {
			if err := h.awaitIdle(ctx); err != nil {
				return fmt.Errorf("exchange the pair of %s: %w", pair.Host, err)
			}
		}
		if err := p.write(h, pair); err != nil {
			return fmt.Errorf("place the pair of %s: %w", pair.Host, err)
		}
	}
	return nil
}

// changesKey reports whether nginx could read a former certificate of the host
// together with the pair's key, and they would not fit.
func (p *Pairs) changesKey(pair seal.Pair) bool {
	for _, h := range halves() {
		former, err := p.read(h, pair.Host)
		if err != nil {
			continue // nginx can't show it either
		}
		mixed := former
		mixed.Key = pair.Key
		if mixed.Check() != nil {
			return true
		}
	}
	return false
}

// write replaces the host's file in one half by one rename.
func (p *Pairs) write(h half, pair seal.Pair) error {
	tmp := filepath.Join(string(h), temporary+strconv.FormatUint(p.written.Add(1), 10))
	content := slices.Concat(pair.Chain, []byte("\n"), pair.Key)
	if err := p.root.WriteFile(tmp, content, 0o600); err != nil {
		return err
	}
	return p.root.Rename(tmp, filepath.Join(string(h), pair.Host))
}

// read returns the host's pair in one half.
func (p *Pairs) read(h half, host string) (seal.Pair, error) {
	raw, err := p.root.ReadFile(filepath.Join(string(h), host))
	if err != nil {
		return seal.Pair{}, err
	}
	chain, key := split(raw)
	return seal.NewPair(host, chain, key)
}

// split takes a file of certificates and a key apart.
func split(raw []byte) (chain, key []byte) {
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			return chain, key
		}
		if block.Type == "CERTIFICATE" {
			chain = append(chain, pem.EncodeToMemory(block)...)
		} else {
			key = append(key, pem.EncodeToMemory(block)...)
		}
	}
}

// Remove has nginx refuse the host from the next handshake on. A host that is
// not there is no error.
func (p *Pairs) Remove(host string) error {
	if err := name.Host(host, p.domain); err != nil {
		return fmt.Errorf("remove pair: %w", err)
	}
	for _, h := range slices.Backward(halves()) {
		err := p.root.Remove(filepath.Join(string(h), host))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the pair of %s: %w", host, err)
		}
	}
	return nil
}

// Hosts lists the hosts that have a file, in order.
func (p *Pairs) Hosts() ([]string, error) {
	var hosts []string
	for _, h := range halves() {
		names, err := p.list(h)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, names...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

// Get returns the pair that nginx shows for the host, and false when there is
// none, when the halves differ, or when it is damaged.
func (p *Pairs) Get(host string) (seal.Pair, bool) {
	if name.Host(host, p.domain) != nil {
		return seal.Pair{}, false
	}
	var pairs []seal.Pair
	for _, h := range halves() {
		pair, err := p.read(h, host)
		if err != nil {
			return seal.Pair{}, false
		}
		pairs = append(pairs, pair)
	}
	same := bytes.Equal(pairs[0].Chain, pairs[1].Chain) && bytes.Equal(pairs[0].Key, pairs[1].Key)
	return pairs[0], same
}

func (p *Pairs) list(h half) ([]string, error) {
	d, err := p.root.Open(string(h))
	if err != nil {
		return nil, fmt.Errorf("list pairs: %w", err)
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list pairs: %w", err)
	}
	return names, nil
}
