package stepca

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/ca"
)

// CA is a running authority. Whoever opened it closes it.
type CA struct {
	authority *authority.Authority
	db        *database
	chain     chain
	duration  time.Duration
	created   bool
	renewer   *ca.TLSRenewer
	server    *http.Server
	listener  net.Listener
	address   string
	name      string // on the server's own certificate
	log       *slog.Logger
	cancel    context.CancelFunc
}

// Open makes the CA or loads the one that is there, and takes its address and
// its database; [CA.Run] then serves. A failed Open leaves nothing open.
func Open(ctx context.Context, o Options) (*CA, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	l := layout(o.Folder)
	created, err := initialise(l, o)
	if err != nil {
		return nil, err
	}
	if err := checkFiles(l); err != nil {
		return nil, err
	}
	ch, err := loadChain(l, o, time.Now())
	if err != nil {
		return nil, err
	}
	c := &CA{chain: ch, duration: o.Duration, created: created, address: o.Listen, name: o.Names[0], log: o.Log}
	if err := c.open(ctx, l, o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// open acquires what has to be given back.
func (c *CA) open(ctx context.Context, l layout, o Options) (err error) {
	// The CA ends by Close, not with the context in which it was opened.
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var lc net.ListenConfig
	if c.listener, err = lc.Listen(ctx, "tcp", o.Listen); err != nil {
		return fmt.Errorf("take the CA's address: %w", err)
	}
	config, err := loadConfig(l, o)
	if err != nil {
		return err
	}
	password, err := readPassword(l.password())
	if err != nil {
		return err
	}
	if c.db, err = openDatabase(l, config.DB, c.chain, o.Signed, o.Log); err != nil {
		return err
	}
	c.authority, err = authority.New(config,
		authority.WithDatabase(c.db),
		authority.WithPassword(password),
		authority.WithX509Enforcers(enforcer{ctx: ctx, claims: o.Claims}),
		authority.WithAuthorizeRenewFunc(authorizeRenew(o.Claims)),
		authority.WithQuietInit(),
	)
	if err != nil {
		return fmt.Errorf("start the authority: %w", err)
	}
	if err := c.newRenewer(); err != nil {
		return err
	}
	c.server, err = c.newServer(ctx, o)
	return err
}

// Close gives everything back. It waits for nothing that still runs: end
// [CA.Run] first.
func (c *CA) Close() error {
	c.cancel()
	var errs []error
	if c.renewer != nil {
		c.renewer.Stop()
	}
	if c.listener != nil {
		if err := c.listener.Close(); !errors.Is(err, net.ErrClosed) { // Run closes it too
			errs = append(errs, err)
		}
	}
	switch {
	case c.authority != nil:
		errs = append(errs, c.authority.Shutdown()) // the database too
	case c.db != nil:
		errs = append(errs, c.db.Shutdown())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the CA: %w", err)
	}
	return nil
}

// Created says whether the CA was made rather than loaded.
func (c *CA) Created() bool { return c.created }

// URL is where the CA answers.
func (c *CA) URL() string { return url(c.address) }

// ACMEDirectory is where ACME clients begin.
func (c *CA) ACMEDirectory() string {
	return c.URL() + "/acme/" + provisionerACME + "/directory"
}

// Root returns the root certificate as PEM, and its SHA-256 in hexadecimal.
func (c *CA) Root() (pem, sha256 string) {
	return string(encodeCertificate(c.chain.root)), fingerprint(c.chain.root)
}

// Duration is the life of the certificates that ACME issues.
func (c *CA) Duration() time.Duration { return c.duration }

func url(address string) string { return "https://" + address }

// newRenewer gets the server's own certificate, and a new one at two thirds of
// its life.
func (c *CA) newRenewer() error {
	first, err := c.ownCertificate()
	if err != nil {
		return err
	}
	c.renewer, err = ca.NewTLSRenewer(first, func() (*tls.Certificate, error) {
		next, err := c.ownCertificate()
		if err != nil {
			c.log.Error("renew the CA's own certificate; it is tried again", "err", err)
			return nil, err
		}
		c.log.Info("renewed the CA's own certificate", "serial", Serial(next.Leaf.SerialNumber))
		return next, nil
	})
	if err != nil {
		return fmt.Errorf("renew the CA's own certificate: %w", err)
	}
	c.renewer.Run()
	return nil
}

// ownCertificate signs a certificate for the CA's server. Its key is never on
// disk. step-ca does not store this one, so we do.
func (c *CA) ownCertificate() (*tls.Certificate, error) {
	own, err := c.authority.GetTLSCertificate()
	if err != nil {
		return nil, fmt.Errorf("sign the CA's own certificate: %w", err)
	}
	if err := c.db.storeOwn(own.Leaf); err != nil {
		return nil, fmt.Errorf("store the CA's own certificate: %w", err)
	}
	return own, nil
}
