package site_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/site"
	"github.com/phoenix-platform/phoenix/pkg/binaries"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHome(t *testing.T, block string) *home.Home {
	t.Helper()
	h, err := home.Open(filepath.Join(t.TempDir(), "home"), block)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestEmbeddedBus(t *testing.T) {
	h := newHome(t, "127.18.3")
	b, err := site.Bus(h, config.Default(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("close before start: %v", err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.URL() != "tls://127.18.3.100:4222" {
		t.Errorf("got %s", b.URL())
	}
	c, err := events.Connect(t.Context(), events.Options{
		URL: b.URL(), Identity: events.Ops, SeedFile: site.Seed(h, events.Ops), CAFile: site.BusFolder(h).CA(),
	})
	if err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// An external bus is waited for; the configuration for it lies in the home.
func TestExternalBus(t *testing.T) {
	h := newHome(t, "127.18.3")
	stack := config.Default()
	stack.Bus.URL = "tls://127.18.3.100:4223"
	b, err := site.Bus(h, stack, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- b.Start(ctx) }()
	conf := site.BusFolder(h).Config()
	for _, err := os.Stat(conf); err != nil; _, err = os.Stat(conf) {
		select {
		case <-ctx.Done():
			t.Fatal("no configuration was written")
		case <-time.After(10 * time.Millisecond):
		}
	}
	opts, err := server.ProcessConfigFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	opts.NoLog, opts.NoSigs = true, true
	ns, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	if err := <-started; err != nil || b.URL() != stack.Bus.URL {
		t.Errorf("got %v at %s", err, b.URL())
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestExternalBusThatIsNotThere(t *testing.T) {
	stack := config.Default()
	stack.Bus.URL = "tls://localhost:1"
	b, err := site.Bus(newHome(t, "127.18.3"), stack, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := b.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestProvisioner(t *testing.T) {
	h := newHome(t, "127.18.3")
	p := site.Programs{Folder: t.TempDir(), Traefik: binaries.Binary{Path: "/t"}, Nginx: binaries.Binary{Path: "/n"}}
	if _, err := site.Provisioner(h, config.Default(), p, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want the program missing", err)
	}
	if err := os.WriteFile(p.Program(events.Provisioner), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := site.Provisioner(h, config.Default(), p, []string{"OTEL_X=1", "SECRET=2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Validate(); err != nil || !u.Enabled || u.Digest == "" || !slices.Equal(u.Env, []string{"OTEL_X=1"}) {
		t.Errorf("unit %+v: %v", u, err)
	}
	c, err := service.Load(u.Exec[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(events.Provisioner); err != nil {
		t.Error(err)
	}
	if c.Bus.URL != "tls://127.18.3.100:4222" || c.Health != "127.18.3.100:9090" || c.Provisioner.Traefik != "/t" ||
		c.Provisioner.Nginx != "/n" || c.Provisioner.Programs != p.Folder || c.Units != "unix:"+h.Socket() {
		t.Errorf("got %+v %+v", c, c.Provisioner)
	}
}

func TestFindProgramsNamesAllThatIsMissing(t *testing.T) {
	stack := config.Default()
	stack.Traefik, stack.Nginx = "/no/traefik", "/no/nginx"
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "phoenix-ca"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := site.FindPrograms(t.Context(), stack, func(string) string { return folder })
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"phoenix-gateway", "phoenix-ca is not a program", "/no/traefik", "/no/nginx"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
	if _, err := site.FindPrograms(t.Context(), stack, func(string) string { return "" }); err == nil {
		t.Error("the services' programs lie beside the test?")
	}
}

func TestAddresses(t *testing.T) {
	stack := config.Default()
	other := site.Addresses(newHome(t, "127.18.3"), stack)
	if slices.Contains(other, "127.0.0.1:8443") || !slices.Contains(other, "127.18.3.100:4222") || !slices.Contains(other, "127.18.3.103:9000") {
		t.Errorf("got %v", other)
	}
	stack.Bus.URL = "tls://elsewhere:4222"
	def := site.Addresses(newHome(t, ""), stack)
	if !slices.Contains(def, "127.0.0.1:8443") || slices.Contains(def, "127.0.1.100:4222") {
		t.Errorf("got %v", def)
	}
}
