package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/pkg/service"
)

func TestSetupReportsEveryFault(t *testing.T) {
	_, err := setupOf(service.Config{
		Domain: "Phoenix", State: "state", Curve: "curve", Proxy: &service.ProxyConfig{
			Listen: "here", API: "there:1", Gateway: []string{"gateway"}, Traefik: "traefik", TraefikUnit: "a b", Denied: []string{"x"},
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"domain", "proxy.listen", "proxy.api", "proxy.gateway", "proxy.traefik_unit", "proxy.traefik is", "state", "curve", "denied"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("nothing about %s in: %v", part, err)
		}
	}
}

func TestCurveKeyIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "curve.nk")
	writeSeed(t, path, curveKey(t))
	if _, key, err := readCurve(path); err != nil || !strings.HasPrefix(key, "X") {
		t.Errorf("key %s, %v", key, err)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // the fault that is to be found
		t.Fatal(err)
	}
	if _, _, err := readCurve(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readCurve(path); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("error %v", err)
	}
}

func TestHeldRegistrationsGetASecondLook(t *testing.T) {
	held := &registry.HeldError{Holder: "a"}
	for what, tt := range map[string]struct {
		meta events.Meta
		err  error
		dead bool
	}{
		"first delivery":  {events.Meta{Deliveries: 1}, held, false},
		"last look":       {events.Meta{Deliveries: patience}, held, true},
		"replayed":        {events.Meta{Deliveries: 1, ReplayedAt: 9}, held, true},
		"invalid":         {events.Meta{Deliveries: 1}, registry.ErrInvalid, true},
		"superseded":      {events.Meta{Deliveries: 1}, registry.ErrSuperseded, true},
		"the bus is away": {events.Meta{Deliveries: 9}, os.ErrDeadlineExceeded, false},
	} {
		err := settle(tt.meta, tt.err)
		if err == nil || events.IsInvalid(err) != tt.dead {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := settle(events.Meta{}, nil); err != nil {
		t.Errorf("no refusal: %v", err)
	}
}
