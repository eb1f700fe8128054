package standin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// headerTimeout is how long a client may take to say what it wants.
	headerTimeout = 10 * time.Second
	// drainTimeout is how long answers may take to end when all is stopped.
	drainTimeout = 2 * time.Second
)

// Run serves the backends listed in file until ctx ends. It ends with an error
// as soon as one of them cannot be served.
func Run(ctx context.Context, file string, log *slog.Logger) error {
	list, err := load(file)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { <-ctx.Done(); return nil }) // an empty list is served too
	for _, b := range list {
		l, err := b.listen(ctx)
		if err != nil {
			group.Go(func() error { return err })
			break
		}
		group.Go(func() error { return b.serve(ctx, l, log) })
	}
	log.InfoContext(ctx, "stand-ins are served", "backends", len(list))
	if err := group.Wait(); err != nil {
		return fmt.Errorf("serve stand-ins: %w", err)
	}
	return nil
}

func (b backend) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", b.Listen)
	if err != nil {
		return nil, fmt.Errorf("stand-in %s: %w", b.Service, err)
	}
	return l, nil
}

// serve answers on l until ctx ends.
func (b backend) serve(ctx context.Context, l net.Listener, log *slog.Logger) error {
	defer func() { _ = l.Close() }()
	srv := &http.Server{
		Handler:           newHandler(b.Service),
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.With("service", b.Service).Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if srv.Shutdown(drain) != nil {
			_ = srv.Close()
		}
	})
	err := b.serveScheme(srv, l)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("stand-in %s: %w", b.Service, err)
}

func (b backend) serveScheme(srv *http.Server, l net.Listener) error {
	if b.Scheme == "https" {
		return srv.ServeTLS(l, b.Certificate, b.Certificate)
	}
	return srv.Serve(l)
}
