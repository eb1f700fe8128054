// Package acmetest is the other side of ACME for tests: a client, and a server
// that answers its challenges as Traefik would.
package acmetest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.step.sm/crypto/x509util"
	"golang.org/x/crypto/acme"
)

// used counts the addresses that were handed out.
var used atomic.Uint32 //nolint:gochecknoglobals // one count for all tests of a process

// Free returns host:port on a loopback address that no other test of this
// process has, and most likely none of another one.
func Free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.13.%d.%d:0", os.Getpid()%256, 1+used.Add(1)%254))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// Key makes a key.
func Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// CSR makes a request for names, DNS names and addresses.
func CSR(t testing.TB, key crypto.Signer, names ...string) *x509.CertificateRequest {
	t.Helper()
	csr, err := x509util.CreateCertificateRequest(names[0], names, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// Responder answers tls-alpn-01 for every host that was given a certificate.
type Responder struct {
	Address string // host:port

	mu    sync.Mutex
	certs map[string]*tls.Certificate
}

// StartResponder runs a responder until the test ends.
func StartResponder(t testing.TB) *Responder {
	t.Helper()
	r := &Responder{certs: map[string]*tls.Certificate{}}
	l, err := tls.Listen("tcp", Free(t), &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{acme.ALPNProto}, GetCertificate: r.certificate,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Address = l.Addr().String()
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { shake(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
	return r
}

// shake does the handshake, which is the whole answer.
func shake(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if c, ok := conn.(*tls.Conn); ok && conn.SetDeadline(time.Now().Add(10*time.Second)) == nil {
		_ = c.Handshake()
	}
}

func (r *Responder) certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.certs[h.ServerName]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("no challenge for %q", h.ServerName)
}

func (r *Responder) answer(host string, c tls.Certificate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.certs[host] = &c
}

// Endpoint implements stepca.Network: every host is answered here.
func (r *Responder) Endpoint(context.Context, string) (string, error) { return r.Address, nil }

// TXT implements stepca.Network: there are no records.
func (*Responder) TXT(context.Context, string) ([]string, error) { return nil, nil }

// Client is an ACME client with an account.
type Client struct {
	*acme.Client
	Responder *Responder
}

// NewClient registers an account at the directory, which is reached by h.
func NewClient(t testing.TB, h *http.Client, directory string, r *Responder) Client {
	t.Helper()
	c := &acme.Client{Key: Key(t), HTTPClient: h, DirectoryURL: directory}
	if _, err := c.Register(t.Context(), &acme.Account{}, acme.AcceptTOS); err != nil {
		t.Fatal(err)
	}
	return Client{Client: c, Responder: r}
}

// Certificate orders a certificate and returns the chain, leaf first.
func (c Client) Certificate(ctx context.Context, csr *x509.CertificateRequest) ([][]byte, error) {
	order, err := c.AuthorizeOrder(ctx, acme.DomainIDs(csr.DNSNames...))
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	for _, url := range order.AuthzURLs {
		if err := c.Prove(ctx, url); err != nil {
			return nil, err
		}
	}
	if order, err = c.WaitOrder(ctx, order.URI); err != nil {
		return nil, fmt.Errorf("wait for the order: %w", err)
	}
	chain, _, err := c.CreateOrderCert(ctx, order.FinalizeURL, csr.Raw, true)
	if err != nil {
		return nil, fmt.Errorf("finalize: %w", err)
	}
	return chain, nil
}

// Prove answers tls-alpn-01 of an authorization.
func (c Client) Prove(ctx context.Context, url string) error {
	az, err := c.GetAuthorization(ctx, url)
	if err != nil {
		return fmt.Errorf("authorization: %w", err)
	}
	challenge, err := Challenge(az)
	if err != nil {
		return err
	}
	cert, err := c.TLSALPN01ChallengeCert(challenge.Token, az.Identifier.Value)
	if err != nil {
		return err
	}
	c.Responder.answer(az.Identifier.Value, cert)
	if _, err := c.Accept(ctx, challenge); err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	if _, err := c.WaitAuthorization(ctx, az.URI); err != nil {
		return fmt.Errorf("wait for the authorization: %w", err)
	}
	return nil
}

// Challenge returns the tls-alpn-01 challenge of an authorization.
func Challenge(az *acme.Authorization) (*acme.Challenge, error) {
	i := slices.IndexFunc(az.Challenges, func(ch *acme.Challenge) bool { return ch.Type == "tls-alpn-01" })
	if i < 0 {
		return nil, errors.New("no tls-alpn-01 is offered")
	}
	return az.Challenges[i], nil
}
