package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/google/renameio/v2"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Options say where the bus listens and where it keeps its files.
type Options struct {
	Folder Folder
	Listen string   // host:port; port 0 picks a free one
	Names  []string // DNS names on the bus's certificate
	Log    *slog.Logger
}

// startFor bounds the server's start, its recovery from disk included.
const startFor = 60 * time.Second

// Server is a running bus.
type Server struct {
	folder Folder
	nats   *server.Server
	log    *slog.Logger
}

// Start runs the bus, sets up what the contract names, and returns when it
// answers. Messages are acknowledged only after they have been synced to disk.
func Start(ctx context.Context, o Options) (*Server, error) {
	opts, err := prepare(o)
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("configure the bus: %w", err)
	}
	s := &Server{folder: o.Folder, nats: ns, log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	ns.SetLoggerV2(natsLog{s.log}, false, false, false)
	go ns.Start()
	if err := s.ready(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// prepare writes identities, certificate and configuration, and returns the
// server's options from the very text of the configuration.
func prepare(o Options) (*server.Options, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("bus address %q: %w", o.Listen, err)
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return nil, fmt.Errorf("bus address %q: not an IP address", o.Listen)
	}
	keys, err := o.Folder.identities()
	if err != nil {
		return nil, err
	}
	if _, err := o.Folder.certificate(o.Names, ip); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Folder.Store(), 0o700); err != nil {
		return nil, fmt.Errorf("make the bus's store: %w", err)
	}
	text, err := Render(o.Folder, net.JoinHostPort(host, port), keys)
	if err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(o.Folder.Config(), text, 0o600); err != nil {
		return nil, fmt.Errorf("write the bus's configuration: %w", err)
	}
	opts := &server.Options{}
	if err := opts.ProcessConfigString(string(text)); err != nil {
		return nil, fmt.Errorf("read the bus's configuration: %w", err)
	}
	if p, err := strconv.Atoi(port); err == nil && p == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.NoSigs = true
	return opts, nil
}

// Render returns the configuration of nats-server: TLS, an account and an nkey
// for each identity, no anonymous access, synced acknowledgements, and limits
// below the real disk.
func Render(f Folder, listen string, keys map[events.Identity]string) ([]byte, error) {
	accounts, err := events.Accounts(keys)
	if err != nil {
		return nil, err
	}
	config := map[string]any{
		"server_name": "phoenix",
		"listen":      listen,
		"max_payload": events.MaxPayload,
		"jetstream": map[string]any{
			"store_dir": f.Store(), "sync_interval": "always",
			"max_file_store": int64(events.StoreBytes) * 5 / 4, "max_memory_store": 64 << 20,
		},
		"tls":            map[string]any{"cert_file": f.CA(), "key_file": f.key(), "timeout": 5, "min_version": "1.2"},
		"accounts":       accounts,
		"system_account": "SYS",
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // nats-server knows no \u escapes
	enc.SetIndent("", "  ")
	if err := enc.Encode(config); err != nil {
		return nil, fmt.Errorf("render the bus's configuration: %w", err)
	}
	return text.Bytes(), nil
}

// ready waits for the server and sets up the contract's streams.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	for !s.nats.ReadyForConnections(100 * time.Millisecond) {
		if ctx.Err() != nil {
			return fmt.Errorf("the bus did not start within %s: %w", startFor, ctx.Err())
		}
		if !s.nats.Running() {
			return errors.New("the bus ended while it started; its log tells why")
		}
	}
	return Provision(ctx, s.URL(), s.folder, s.log)
}

// Prepare writes identities, certificate and configuration for a nats-server
// that runs elsewhere, and starts nothing.
func Prepare(o Options) error {
	_, err := prepare(o)
	return err
}

// Provision sets up the contract's streams on a bus, this one or an external
// one that uses the same identities. It waits for the bus until ctx ends.
func Provision(ctx context.Context, url string, f Folder, log *slog.Logger) error {
	b, err := events.Connect(ctx, events.Options{
		URL: url, Identity: events.Bootstrap, SeedFile: f.Seed(events.Bootstrap), CAFile: f.CA(), Log: log,
	})
	if err != nil {
		return err
	}
	defer b.Close()
	if err := events.Provision(ctx, b.JetStream()); err != nil {
		return fmt.Errorf("set up the bus: %w", err)
	}
	return nil
}

// URL is where clients connect.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Wait returns when the server has ended, by itself or by Close.
func (s *Server) Wait() { s.nats.WaitForShutdown() }

// Close ends the server and waits for it.
func (s *Server) Close() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}
