package nginx_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

// counting remembers what was asked of the units.
type counting struct {
	nginx.Units
	asked []string
	err   error // of Reload
}

func (c *counting) Start(ctx context.Context, name string) error {
	c.asked = append(c.asked, "start")
	return c.Units.Start(ctx, name)
}

func (c *counting) Reload(ctx context.Context, name string) error {
	c.asked = append(c.asked, "reload")
	if c.err != nil {
		return c.err
	}
	return c.Units.Reload(ctx, name)
}

// count has the front's server command its units through a counter.
func (f *front) count(t *testing.T) *counting {
	t.Helper()
	units := &counting{Units: f.units}
	var err error
	if f.server, err = nginx.NewServer(f.prefix, testenv.Nginx(t), unitName, units); err != nil {
		t.Fatal(err)
	}
	return units
}

func TestApplyActsOnlyOnChanges(t *testing.T) {
	host := "a." + domain
	f := newFront(t)
	units := f.count(t)
	place(t, f.pairs, f.ca.Pair(t, host))
	expect := func(step string, change bool, asked string) {
		t.Helper()
		units.asked = nil
		changed, err := f.server.Apply(t.Context(), f.config)
		if err != nil || changed != change || strings.Join(units.asked, " ") != asked {
			t.Errorf("%s: got %t, %v and %q, want %t and %q", step, changed, err, units.asked, change, asked)
		}
		f.awaitListening(t)
	}
	expect("first", true, "reload start")
	expect("again", false, "start")
	other := nginxtest.NewCA(t)
	f.config.Root = other.Root
	expect("another root", true, "reload")
	units = f.count(t)
	expect("after a restart of the gateway", false, "start")
	if err := os.Remove(filepath.Join(f.prefix, "applied")); err != nil {
		t.Fatal(err)
	}
	expect("after a crash before the reload", true, "reload")
	eventually(t, "the new root is used", func() bool {
		status, _ := do(t, f.client(t), request(t, http.MethodGet, "https://"+host+"/echo", nil))
		return status == http.StatusBadGateway
	})
	f.config.Root = f.ca.Root
	expect("the old root again", true, "reload")
	f.config.Root = other.Root
	f.config.Upstream = nginxtest.StartTraefik(t, ip, other.Pair(t, "proxy."+domain)).Addr
	expect("everything moves", true, "reload")
	eventually(t, "the new Traefik is used", func() bool {
		status, _ := do(t, f.client(t), request(t, http.MethodGet, "https://"+host+"/echo", nil))
		return status == http.StatusOK
	})
	roots, err := filepath.Glob(filepath.Join(f.prefix, "root-*.pem"))
	if err != nil || len(roots) > 2 {
		t.Errorf("roots left: %q, %v", roots, err)
	}
}

func TestBadConfigurationReplacesNothing(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	good := f.config
	conf := filepath.Join(f.prefix, "nginx.conf")
	before, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*nginx.Config){
		"refused by nginx": func(c *nginx.Config) { c.HTTPS = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:8443")} },
		"refused by us":    func(c *nginx.Config) { c.Domain = "a; return 418" },
	} {
		c := good
		change(&c)
		_, err := f.server.Apply(t.Context(), c)
		var refused *nginx.RefusedError
		if !errors.As(err, &refused) || refused.Reason == "" {
			t.Fatalf("%s: got %v, want a RefusedError", name, err)
		}
		t.Logf("%s: %v", name, err)
		after, err := os.ReadFile(conf)
		if err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: nginx.conf was changed, %v", name, err)
		}
		if _, err := os.Stat(conf + ".new"); err == nil {
			t.Errorf("%s: the candidate is still there", name)
		}
	}
	if status, _ := do(t, f.client(t), request(t, http.MethodGet, "https://"+host+"/echo", nil)); status != http.StatusOK {
		t.Errorf("afterwards: got %d", status)
	}
	f.apply(t)
}

func TestFormerConfigurationIsKept(t *testing.T) {
	f := startFront(t)
	before, err := os.ReadFile(filepath.Join(f.prefix, "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	f.config.HTTP = nil
	f.apply(t)
	kept, err := os.ReadFile(filepath.Join(f.prefix, "nginx.conf.former"))
	if err != nil || !bytes.Equal(kept, before) {
		t.Errorf("nginx.conf.former is not what nginx.conf was: %v", err)
	}
}

func TestReloadThatFailsIsRepeated(t *testing.T) {
	f := startFront(t)
	units := f.count(t)
	f.config.HTTP = nil
	units.err = unit.ErrUnavailable
	if _, err := f.server.Apply(t.Context(), f.config); !errors.Is(err, unit.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, unit.ErrUnavailable)
	}
	units.err = nil
	if changed, err := f.server.Apply(t.Context(), f.config); err != nil || !changed {
		t.Errorf("got %t, %v, want a change", changed, err)
	}
}

func TestKilledNginxComesBack(t *testing.T) {
	host := "a." + domain
	f := startFront(t, host)
	for range 2 {
		status, err := f.units.Status(t.Context(), unitName)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(status.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "nginx runs again", func() bool {
			now, err := f.units.Status(t.Context(), unitName)
			return err == nil && now.State == unit.Active && now.PID != status.PID
		})
		f.awaitListening(t)
		if s := f.server.State(t.Context()); s != "" {
			t.Errorf("State: got %q", s)
		}
		if _, err := f.probe(t, host); err != nil {
			t.Error(err)
		}
	}
}

func TestStateTellsWhyNginxIsNotThere(t *testing.T) {
	f := newFront(t)
	if s := f.server.State(t.Context()); !strings.Contains(s, "no such unit") {
		t.Errorf("before: got %q", s)
	}
	taken := nginxtest.StartTraefik(t, ip, f.ca.Pair(t, "proxy."+domain))
	f.config.HTTPS = []netip.AddrPort{taken.Addr}
	if _, err := f.server.Apply(t.Context(), f.config); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nginx gives up on a taken port", func() bool {
		return strings.Contains(f.server.State(t.Context()), "exit status 1")
	})
}
