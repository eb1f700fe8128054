package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
)

// hostRole makes the test's own binary a host, so that it can be killed.
const hostRole = "PHOENIX_TEST_HOST"

func TestMain(m *testing.M) {
	if role := os.Getenv(hostRole); role != "" {
		if err := beHost(role); err != nil {
			fmt.Fprintln(os.Stderr, "host:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// beHost runs a host as the command does.
func beHost(role string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	h, err := home.Open(os.Getenv("PHOENIX_HOME"), "127.14.2")
	if err != nil {
		return err
	}
	return Run(ctx, Options{
		Home: h, Version: "test", Bus: &fakeBus{role: role}, Getenv: os.Getenv,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

// fakeBus is a bus that comes up, does not, or takes for ever, by its role.
type fakeBus struct{ role string }

func (b *fakeBus) Start(ctx context.Context) error {
	switch b.role {
	case "broken":
		return errors.New("address 127.14.2.100:4222 is taken")
	case "slow":
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (b *fakeBus) URL() string { return "tls://127.14.2.100:4222" }

func (b *fakeBus) Close() error { return nil }
