package book

import (
	"context"
	"errors"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Issued says whether cert.issued was said of a certificate.
func (b *Book) Issued(ctx context.Context, serial string) (bool, error) {
	_, _, err := b.bucket.Get(ctx, keyCert+serial)
	if errors.Is(err, events.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// SetIssued records that cert.issued was said of a certificate. It stays for
// ever.
func (b *Book) SetIssued(ctx context.Context, c events.CertState) error {
	return b.put(ctx, keyCert+c.Serial, c)
}

// AllIssued returns the serials of all certificates of which cert.issued was
// said.
func (b *Book) AllIssued(ctx context.Context) (map[string]struct{}, error) {
	raws, err := b.bucket.List(ctx, keyCert)
	if err != nil {
		return nil, err
	}
	out := make(map[string]struct{}, len(raws))
	for key := range raws {
		out[strings.TrimPrefix(key, keyCert)] = struct{}{}
	}
	return out, nil
}
