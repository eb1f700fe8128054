package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/acme"
)

// shakeFor bounds one handshake.
const shakeFor = 5 * time.Second

// answer shows a challenge's certificate to whoever asks for it.
type answer struct {
	listener net.Listener
	done     sync.WaitGroup
}

func listen(ctx context.Context, address string, cert tls.Certificate) (*answer, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is taken by another process: %w", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the challenge: %w", err)
	}
	a := &answer{listener: tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{acme.ALPNProto}, MinVersion: tls.VersionTLS12,
	})}
	a.done.Go(func() { a.serve(ctx) })
	return a, nil
}

// serve ends when the listener is closed.
func (a *answer) serve(ctx context.Context) {
	for {
		conn, err := a.listener.Accept()
		if err != nil {
			return
		}
		a.done.Go(func() { shake(ctx, conn) })
	}
}

// shake does the handshake, which is the whole answer.
func shake(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, shakeFor)
	defer cancel()
	if c, ok := conn.(*tls.Conn); ok {
		_ = c.HandshakeContext(ctx) // the server tells how it went
	}
}

// close frees the address and waits for handshakes under way.
func (a *answer) close() {
	_ = a.listener.Close()
	a.done.Wait()
}
