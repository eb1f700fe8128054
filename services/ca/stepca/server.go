package stepca

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/smallstep/certificates/acme"
	acmeapi "github.com/smallstep/certificates/acme/api"
	acmedb "github.com/smallstep/certificates/acme/db/nosql"
	"github.com/smallstep/certificates/api"
	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/db"
	"github.com/smallstep/certificates/logging"
	"github.com/smallstep/nosql"
)

const (
	maxBody      = 1 << 20 // bytes of a request's body; step-ca itself has no limit
	shutdownTime = 5 * time.Second
	compactEvery = 5 * time.Minute
)

// newServer routes what stock step-ca routes: its own interface and ACME.
func (c *CA) newServer(ctx context.Context, o Options) (*http.Server, error) {
	stored, err := acmedb.New(c.db)
	if err != nil {
		return nil, fmt.Errorf("open the database of ACME: %w", err)
	}
	router := chi.NewRouter()
	router.Use(middleware.GetHead)
	api.Route(router)
	router.Route("/1.0", func(r chi.Router) { api.Route(r) })
	router.Route("/acme", func(r chi.Router) { acmeapi.Route(r) })
	router.Route("/2.0/acme", func(r chi.Router) { acmeapi.Route(r) })

	ctx = authority.NewContext(ctx, c.authority)
	ctx = db.NewContext(ctx, c.db)
	ctx = acme.NewContext(ctx, orders{DB: stored, claims: o.Claims, states: &sync.RWMutex{}},
		challengeClient{ctx: ctx, network: o.Network}, acme.NewLinker(o.Listen, "acme"), nil)
	return &http.Server{
		Handler:     http.MaxBytesHandler(c.logged(router), maxBody),
		TLSConfig:   c.tlsConfig(),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		// A challenge is validated while its request waits.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}, nil
}

// tlsConfig serves the CA's own certificate, and takes the client's for
// renewals.
func (c *CA) tlsConfig() *tls.Config {
	config := c.authority.GetTLSOptions().TLSConfig()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.GetCertificate = c.renewer.GetCertificateForCA
	config.ClientAuth = tls.VerifyClientCertIfGiven
	config.ClientCAs = x509.NewCertPool()
	config.ClientCAs.AddCert(c.chain.root)
	config.ClientCAs.AddCert(c.chain.intermediate) // clients may leave it out
	return config
}

// logged tells what was asked and, when it was refused, why: clients of ACME
// show little of it.
func (c *CA) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rw := logging.NewResponseLogger(w)
		next.ServeHTTP(rw, r)
		level, attrs := slog.LevelDebug, []slog.Attr{
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("remote", r.RemoteAddr),
			slog.Int("status", rw.StatusCode()), slog.Duration("took", time.Since(start)),
		}
		if reason, ok := rw.Fields()["error"].(error); ok {
			level = slog.LevelInfo
			attrs = append(attrs, slog.String("reason", reason.Error())) // formatted, it would be a stack trace
		}
		if rw.StatusCode() >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		c.log.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// Run serves until ctx ends; requests that run then have a moment to finish.
func (c *CA) Run(ctx context.Context) error {
	stopped := make(chan struct{})
	served := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-served:
			return
		case <-ctx.Done():
		}
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := c.server.Shutdown(limit); err != nil {
			_ = c.server.Close() // those that did not finish
		}
	}()
	compacted := make(chan struct{})
	go func() {
		defer close(compacted)
		c.compact(ctx, served)
	}()
	err := c.server.ServeTLS(c.listener, "", "")
	close(served)
	<-stopped
	<-compacted
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the CA: %w", err)
	}
	return nil
}

// compact gives room back that the database no longer needs, now and then.
func (c *CA) compact(ctx context.Context, served <-chan struct{}) {
	compactor, ok := c.db.DB.DB.(nosql.Compactor)
	if !ok {
		return
	}
	ticker := time.NewTicker(compactEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-served:
			return
		case <-ticker.C:
			for compactor.Compact(0.7) == nil && ctx.Err() == nil { //nolint:revive // until there is nothing left
			}
		}
	}
}
