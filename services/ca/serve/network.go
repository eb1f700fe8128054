package serve

import (
	"context"
	"errors"

	"github.com/phoenix-platform/phoenix/services/ca/book"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// Network says where ACME's challenges are answered: by the proxy, whatever the
// host. It implements stepca.Network.
type Network struct{ Book *book.Book }

var _ stepca.Network = Network{}

// Endpoint implements stepca.Network. A proxy that is not known yet is waited
// for.
func (n Network) Endpoint(ctx context.Context, _ string) (string, error) {
	for {
		_, proxy, changed := n.Book.Facts()
		if proxy.Known() {
			return proxy.ACME, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", errors.New("the proxy's container is not ready yet")
		}
	}
}

// TXT implements stepca.Network. There are no records: nobody asks for
// wildcards.
func (Network) TXT(context.Context, string) ([]string, error) { return nil, nil }
