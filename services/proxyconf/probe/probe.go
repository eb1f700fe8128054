// Package probe proves that an ACME server issues, with a real order.
package probe

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
	"net/http"
	"time"

	"golang.org/x/crypto/acme"
)

// challengeType is the one that Traefik answers too.
const challengeType = "tls-alpn-01"

// Order is one certificate to be ordered.
type Order struct {
	Directory string         // of the ACME server
	Roots     *x509.CertPool // whom to trust there, and who must have signed
	Account   crypto.Signer  // key of the ACME account
	Host      string
	Listen    string // host:port where the server's challenge arrives
}

// Run orders the certificate, answers the challenge, and returns the leaf after
// it was verified. The address must be free: nobody else answers there meanwhile.
func (o Order) Run(ctx context.Context) (*x509.Certificate, error) {
	leaf, err := o.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("order a certificate for %s from %s: %w", o.Host, o.Directory, err)
	}
	return leaf, nil
}

func (o Order) run(ctx context.Context) (*x509.Certificate, error) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &acme.Client{
		Key: o.Account, DirectoryURL: o.Directory, UserAgent: "phoenix-proxyconf",
		HTTPClient: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		// Whoever wants the proof tries the whole order again.
		RetryBackoff: func(int, *http.Request, *http.Response) time.Duration { return -1 },
	}
	if _, err := client.Register(ctx, &acme.Account{}, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil, fmt.Errorf("register: %w", err)
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(o.Host))
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	for _, url := range order.AuthzURLs {
		if err := o.authorize(ctx, client, url); err != nil {
			return nil, err
		}
	}
	return o.finish(ctx, client, order)
}

// authorize answers the challenge of one authorization.
func (o Order) authorize(ctx context.Context, client *acme.Client, url string) error {
	authz, err := client.GetAuthorization(ctx, url)
	if err != nil {
		return fmt.Errorf("get the authorization: %w", err)
	}
	if authz.Status == acme.StatusValid {
		return nil
	}
	challenge, err := pick(authz)
	if err != nil {
		return err
	}
	cert, err := client.TLSALPN01ChallengeCert(challenge.Token, o.Host)
	if err != nil {
		return fmt.Errorf("make the challenge's certificate: %w", err)
	}
	answer, err := listen(ctx, o.Listen, cert)
	if err != nil {
		return err
	}
	defer answer.close()
	if _, err := client.Accept(ctx, challenge); err != nil {
		return fmt.Errorf("accept the challenge: %w", err)
	}
	if _, err := client.WaitAuthorization(ctx, authz.URI); err != nil {
		return fmt.Errorf("wait for the authorization: %w", err)
	}
	return nil
}

func pick(authz *acme.Authorization) (*acme.Challenge, error) {
	for _, c := range authz.Challenges {
		if c.Type == challengeType {
			return c, nil
		}
	}
	return nil, fmt.Errorf("the server offers no %s challenge", challengeType)
}

// finish asks for the certificate and verifies it.
func (o Order) finish(ctx context.Context, client *acme.Client, order *acme.Order) (*x509.Certificate, error) {
	if _, err := client.WaitOrder(ctx, order.URI); err != nil {
		return nil, fmt.Errorf("wait for the order: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{o.Host}}, key)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	chain, _, err := client.CreateOrderCert(ctx, order.FinalizeURL, csr, true)
	if err != nil {
		return nil, fmt.Errorf("finish: %w", err)
	}
	return o.verify(chain)
}

func (o Order) verify(chain [][]byte) (*x509.Certificate, error) {
	var certs []*x509.Certificate
	between := x509.NewCertPool()
	for _, der := range chain {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("read the chain: %w", err)
		}
		certs = append(certs, cert)
		between.AddCert(cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("the chain is empty")
	}
	if _, err := certs[0].Verify(x509.VerifyOptions{DNSName: o.Host, Roots: o.Roots, Intermediates: between}); err != nil {
		return nil, fmt.Errorf("verify the chain: %w", err)
	}
	return certs[0], nil
}
