package serve

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
)

const (
	storageWatch = 5 * time.Second       // between two looks at the file that nobody asked for
	halfAFile    = 20 * time.Millisecond // until half a file is read again
	keepAfter    = time.Second           // without a change, until the copy is made
)

// watch rings when the file changes. Without it, changes are seen later.
func (c *Certificates) watch(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		c.log.WarnContext(ctx, "Traefik's store is not watched", "err", err)
		return nil
	}
	defer func() { _ = watcher.Close() }()
	if err := watcher.Add(string(c.folder)); err != nil {
		c.log.WarnContext(ctx, "Traefik's store is not watched", "err", err)
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-watcher.Events:
			if e.Name == c.folder.Storage() {
				c.Ring()
			}
		case err := <-watcher.Errors:
			c.log.WarnContext(ctx, "watching Traefik's store", "err", err)
			c.Ring()
		}
	}
}

// readStorage reads the pairs, unless that was done a moment ago: a large file
// that changes often is read after as long as reading takes.
func (c *Certificates) readStorage() (again time.Duration, err error) {
	if wait := time.Until(c.read.Add(c.quiet)); wait > 0 {
		return wait, nil
	}
	began := time.Now()
	pairs, changed, err := c.reader.Read()
	c.read = time.Now()
	c.quiet = 3 * c.read.Sub(began)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case storage.IsIncomplete(err):
		return halfAFile, nil
	case err != nil:
		return 0, err
	case changed:
		c.pairs, c.changed = pairs.ByHost, c.read
		return keepAfter, nil
	}
	if wait := time.Until(c.changed.Add(keepAfter)); wait > 0 {
		return wait, nil
	}
	return 0, c.reader.Keep()
}
