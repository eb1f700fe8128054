package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

func TestKilledTraefikComesBack(t *testing.T) {
	h := ready(t)
	body := h.register("grafana")
	state := h.state("grafana", events.StateReady)
	file := traefik.Folder(h.config.State + "/traefik").Storage()
	h.eventually("a copy of the certificates", func() error {
		raw, err := os.ReadFile(storage.GoodPath(file))
		if err == nil && !strings.Contains(string(raw), host("grafana")) {
			err = errors.New("without grafana")
		}
		return err
	})
	issued := h.acme.Issued()
	for _, cut := range []float64{0.5, 0} {
		h.killTraefik(func() {
			info, err := os.Stat(file)
			if err == nil {
				err = os.Truncate(file, int64(cut*float64(info.Size())))
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		h.serves(host("grafana"), body)
		if _, serial, err := h.get(host("grafana")); err != nil || serial != state.Serials[host("grafana")] {
			t.Errorf("serial %s, %v; want %s", serial, err, state.Serials[host("grafana")])
		}
	}
	if now := h.acme.Issued(); now != issued {
		t.Errorf("%d certificates issued anew", now-issued)
	}
}

// killTraefik kills Traefik and does something before it is started again.
func (h *house) killTraefik(meanwhile func()) {
	h.t.Helper()
	status, err := h.units.Status(h.t.Context(), "102-traefik")
	if err != nil || status.State != unit.Active {
		h.t.Fatalf("status %+v, %v", status, err)
	}
	if err := syscall.Kill(status.PID, syscall.SIGSTOP); err != nil { // it writes nothing any more
		h.t.Fatal(err)
	}
	meanwhile()
	if err := syscall.Kill(status.PID, syscall.SIGKILL); err != nil {
		h.t.Fatal(err)
	}
	h.eventually("Traefik runs again", func() error {
		now, err := h.units.Status(h.t.Context(), "102-traefik")
		if err == nil && (now.State != unit.Active || now.PID == status.PID) {
			err = fmt.Errorf("status %+v", now)
		}
		return err
	})
}

func TestRefusedOrderIsToldAndTriedAgain(t *testing.T) {
	h := newHouse(t)
	h.acme.Refuse(host("grafana"), true)
	h.start()
	h.caReady()
	h.proxyReady()
	body := h.register("grafana")
	failed := hears(h, "grafana is degraded", func(f events.ServiceFailed) bool { return f.Name == "grafana" })
	if !strings.Contains(failed.Reason, "nobody claims grafana") {
		t.Errorf("reason %q", failed.Reason)
	}
	h.state("grafana", events.StateDegraded)
	h.acme.Refuse(host("grafana"), false)
	h.caReady() // hurries
	h.state("grafana", events.StateReady)
	h.serves(host("grafana"), body)
}

func TestTraefikWaitsForTheCA(t *testing.T) {
	h := newHouse(t)
	h.acme.Refuse(host("probe"), true)
	h.start()
	h.caReady()
	h.proxyReady()
	h.eventually("the order is tried", func() error {
		if h.acme.Refused() < 2 {
			return errors.New("not yet")
		}
		return nil
	})
	if _, err := h.units.Status(t.Context(), "102-traefik"); !errors.Is(err, unit.ErrNotFound) {
		t.Errorf("Traefik was started although the CA does not issue: %v", err)
	}
	h.acme.Refuse(host("probe"), false)
	hears(h, "the proxy is ready", func(events.ProxyReady) bool { return true })
}

func TestSecondOnAHostIsRefused(t *testing.T) {
	h := ready(t)
	first := h.register("first", host("shared"))
	h.state("first", events.StateReady)
	second := h.register("second", host("shared"))
	letter := h.deadLetter(`held by service "first"`)
	h.serves(host("shared"), first)

	h.remove("first")
	h.state("first", events.StateAbsent)
	if err := h.ops.Replay(h.within(10*time.Second), letter.DeadLetter); err != nil {
		t.Fatal(err)
	}
	h.state("second", events.StateReady)
	h.serves(host("shared"), second)
}

// deadLetter waits for a dead letter with that reason.
func (h *house) deadLetter(reason string) events.StoredDeadLetter {
	h.t.Helper()
	var found events.StoredDeadLetter
	h.eventually("a dead letter with "+reason, func() error {
		letters, err := h.ops.DeadLetters(h.within(10 * time.Second))
		if err != nil {
			return err
		}
		for _, l := range letters {
			if strings.Contains(l.Reason, reason) {
				found = l
				return nil
			}
		}
		return fmt.Errorf("not among %+v", letters)
	})
	return found
}

func TestHostileMessagesDisturbNobody(t *testing.T) {
	h := ready(t)
	body := h.register("good")
	h.state("good", events.StateReady)
	for subject, payloads := range map[string][]string{
		"service.registered": {
			`{`, `[]`, `{"name":7}`, strings.Repeat("[", 20_000), `{"name":"` + strings.Repeat("a", 200<<10) + `"}`,
			`{"name":"../x","url":"http://10.0.0.1"}`, `{"name":"{{x}}","url":"http://10.0.0.1"}`, `{"name":"a\nb","url":"http://10.0.0.1"}`,
			`{"name":"a","url":"http://169.254.169.254/"}`, `{"name":"a","url":"file:///etc/passwd"}`, `{"name":"a"}`,
			`{"name":"a","url":"http://` + h.at("102:9091") + `"}`, `{"name":"gateway","url":"http://10.0.0.1"}`,
			"{\"name\":\"a\",\"url\":\"http://10.0.0.1\",\"hosts\":[\"a`.phoenix.localhost\"]}",
			`{"name":"a","url":"http://10.0.0.1","hosts":["*.phoenix.localhost"]}`, `{"name":"a","url":"http://10.0.0.1","hosts":["example.com"]}`,
			`{"name":"a","url":"http://10.0.0.1","hosts":["good.phoenix.localhost"]}`,
		},
		"service.removed": {`null`, `{"name":"*"}`, `"good"`},
	} {
		for _, p := range payloads {
			if _, err := h.ops.JetStream().Publish(h.within(10*time.Second), subject, []byte(p)); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.eventually("20 dead letters", func() error {
		letters, err := h.ops.DeadLetters(h.within(10 * time.Second))
		count := 0
		for _, l := range letters {
			if strings.HasPrefix(l.Consumer, "proxyconf_") {
				count++
			}
		}
		if err == nil && count != 20 {
			err = fmt.Errorf("%d: %+v", count, letters)
		}
		return err
	})
	h.serves(host("good"), body)
	if services, err := events.All[events.ServiceState](h.within(10*time.Second), h.ops.Bucket(events.BucketProxyconf), "service."); err != nil || len(services) != 1 {
		t.Errorf("services %v, %v", services, err)
	}
}

func TestHTTPSBackends(t *testing.T) {
	h := ready(t)
	other := testca.New(t)
	config := other.Server(t, "appliance.lan")
	sum := sha256.Sum256(config.Certificates[0].Certificate[0])
	appliance := serveText(t, "appliance", config)
	h.publish(h.ops, events.ServiceRegistered{Name: "ours", URL: serveText(t, "ours", h.ca.Server(t, "127.0.0.1"))})
	h.publish(h.ops, events.ServiceRegistered{Name: "given", URL: appliance, CA: string(other.Root()), ServerName: "appliance.lan"})
	h.publish(h.ops, events.ServiceRegistered{Name: "pinned", URL: appliance, Fingerprint: hex.EncodeToString(sum[:])})
	h.publish(h.ops, events.ServiceRegistered{Name: "stranger", URL: appliance})
	for name, body := range map[string]string{"ours": "ours", "given": "appliance", "pinned": "appliance"} {
		if s := h.state(name, events.StateReady); !s.Encrypted || !s.Verified {
			t.Errorf("%s: %+v", name, s)
		}
		h.serves(host(name), body)
	}
	if s := h.state("stranger", events.StateDegraded); s.Verified || s.Reason == "" {
		t.Errorf("stranger: %+v", s)
	}
	hears(h, "stranger failed", func(f events.ServiceFailed) bool { return f.Name == "stranger" })
	h.eventually("nothing passes to a stranger", func() error {
		body, _, err := h.get(host("stranger"))
		if err == nil || body == "appliance" {
			return fmt.Errorf("body %q, %w", body, err)
		}
		return nil
	})
}

func TestGatewayGetsWhatItLacks(t *testing.T) {
	h := ready(t)
	h.register("grafana")
	serial := h.state("grafana", events.StateReady).Serials[host("grafana")]
	h.handed(host("grafana"), serial)

	for what, report := range map[string]events.GatewayApplied{
		"missing":   {Missing: []string{host("grafana")}},
		"different": {Hosts: map[string]string{host("grafana"): "00"}},
	} {
		h.forgets()
		h.publish(h.gateway, report)
		hears(h, what+": handed over again", func(c events.GatewayCertificate) bool { return c.Host == host("grafana") && c.Serial == serial })
	}
	h.forgets()
	h.publish(h.gateway, events.GatewayApplied{Hosts: map[string]string{host("grafana"): serial, host("left"): "00"}})
	hears(h, "what nobody wants is withdrawn", func(c events.GatewayCertificate) bool { return c.Host == host("left") && c.Withdrawn })

	h.forgets()
	h.curve = curveKey(t)
	h.gatewayReady()
	h.handed(host("grafana"), serial)
}

func TestAnotherCA(t *testing.T) {
	h := ready(t)
	body := h.register("grafana")
	h.state("grafana", events.StateReady)
	h.ca = testca.New(t)
	h.acme.Use(h.ca)
	h.forgets()
	h.caReady()
	hears(h, "the proxy is ready again", func(events.ProxyReady) bool { return true })
	h.serves(host("grafana"), body)
}
