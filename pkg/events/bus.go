package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

// Options say where the bus is and as whom to speak.
type Options struct {
	URL      string   // tls://host:port
	Identity Identity // whose words these are
	SeedFile string   // nkey seed; must not be readable by others
	CAFile   string   // PEM certificates that the server is verified against
	Source   string   // CloudEvents source; default "/<identity>"
	Log      *slog.Logger
	Tracer   trace.Tracer // default: the global provider's
	// Observe is told of each settled message; it may be nil.
	Observe func(Outcome)
}

// Outcome is what became of one delivery.
type Outcome struct {
	Subject string
	Fate    Fate
	Took    time.Duration
	// Redelivered says that it had been delivered before.
	Redelivered bool
}

// Fate is how a delivery was settled.
type Fate string

// The three fates of a delivery.
const (
	Handled Fate = "handled"
	Delayed Fate = "delayed"
	Dead    Fate = "dead"
)

// Bus is a connection of one identity. It is safe for concurrent use.
type Bus struct {
	identity Identity
	source   string
	conn     *nats.Conn
	js       jetstream.JetStream
	log      *slog.Logger
	tracer   trace.Tracer
	observe  func(Outcome)
}

// Connect opens the connection and keeps it: a lost server is reconnected to
// without end. It returns when the first connection stands or ctx ends.
func Connect(ctx context.Context, o Options) (*Bus, error) {
	if err := checkPrivate(o.SeedFile); err != nil {
		return nil, err
	}
	key, err := nats.NkeyOptionFromSeed(o.SeedFile)
	if err != nil {
		return nil, fmt.Errorf("read the bus identity: %w", err)
	}
	b := &Bus{identity: o.Identity, source: o.Source, log: o.Log, tracer: o.Tracer, observe: o.Observe}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.source == "" {
		b.source = "/" + string(o.Identity)
	}
	if b.tracer == nil {
		b.tracer = otel.Tracer("phoenix/events")
	}
	if b.observe == nil {
		b.observe = func(Outcome) {}
	}
	opts := []nats.Option{
		key, nats.Name(string(o.Identity)), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(100 * time.Millisecond), nats.ReconnectJitter(50*time.Millisecond, 50*time.Millisecond),
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.ErrorHandler(b.asyncError),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { b.log.Warn("bus connection lost", "err", err) }),
		nats.ReconnectHandler(func(*nats.Conn) { b.log.Info("bus connection restored") }),
	}
	if o.CAFile != "" {
		opts = append(opts, nats.RootCAs(o.CAFile))
	}
	b.conn, err = dial(ctx, o.URL, opts, b.log)
	if err != nil {
		return nil, fmt.Errorf("connect to the bus at %s as %s: %w", o.URL, o.Identity, err)
	}
	prefix := apiPrefix
	if o.Identity == Bootstrap {
		prefix = jetstream.DefaultAPIPrefix
	}
	b.js, err = jetstream.NewWithAPIPrefix(b.conn, prefix)
	if err != nil {
		b.conn.Close()
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return b, nil
}

// Identity tells as whom this connection speaks.
func (b *Bus) Identity() Identity { return b.identity }

// JetStream gives the operator's tools the whole API.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// Conn gives the operator's tools the connection.
func (b *Bus) Conn() *nats.Conn { return b.conn }

// Close flushes what is under way and ends the connection.
func (b *Bus) Close() {
	if err := b.conn.FlushTimeout(time.Second); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		b.log.Debug("flush before close", "err", err)
	}
	b.conn.Close()
}

// Healthy says whether the server answers now.
func (b *Bus) Healthy(ctx context.Context) error {
	if !b.conn.IsConnected() {
		return errors.New("no connection to the bus")
	}
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("ask the bus: %w", err)
	}
	return nil
}

func (b *Bus) asyncError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if sub != nil {
		b.log.Error("bus", "subject", sub.Subject, "err", err)
		return
	}
	b.log.Error("bus", "err", err)
}

// dial tries until the server answers or ctx ends.
func dial(ctx context.Context, url string, opts []nats.Option, log *slog.Logger) (*nats.Conn, error) {
	var last error
	retry := newBackOff()
	for {
		conn, err := nats.Connect(url, opts...)
		if err == nil {
			return conn, nil
		}
		if last == nil || last.Error() != err.Error() {
			log.Info("waiting for the bus", "url", url, "err", err)
		}
		last = err
		if err := wait(ctx, retry.NextBackOff()); err != nil {
			return nil, errors.Join(err, last)
		}
	}
}

// checkPrivate refuses a seed that others may read.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read the bus identity: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("bus identity %s may be read by others (mode %04o): chmod 600 it", path, mode)
	}
	return nil
}
