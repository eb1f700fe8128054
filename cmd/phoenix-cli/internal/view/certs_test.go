package view

import (
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/golden"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

func certFacts() []events.CertState {
	cert := func(serial string, age time.Duration, names ...string) events.CertState {
		born := now().Add(-age)
		return events.CertState{
			Serial: serial, Names: names, NotBefore: born, NotAfter: born.Add(24 * time.Hour),
			Provisioner: "acme", Issuer: "acme", Holder: "proxy",
		}
	}
	revoked := cert("0D", time.Hour, "gone.phoenix.localhost")
	revoked.Revoked = true
	return []events.CertState{
		cert("0a", 25*time.Hour, "portainer.phoenix.localhost"),
		cert("0B", time.Hour, "portainer.phoenix.localhost", "docker.phoenix.localhost"),
		cert("0c", 20*time.Hour, "grafana.phoenix.localhost"),
		revoked,
	}
}

func TestCerts(t *testing.T) {
	certs := Certs(now(), certFacts(), nil)
	golden.Equal(t, "certs.txt", both(t, certs, func(b *strings.Builder) error {
		return CertsText(b, Style{}, now(), certs)
	}))
}

func TestCertsOfNames(t *testing.T) {
	certs := Certs(now(), certFacts(), []string{"docker.phoenix.localhost", "grafana.phoenix.localhost"})
	var serials []string
	for _, c := range certs {
		serials = append(serials, c.Serial)
	}
	if got := strings.Join(serials, " "); got != "0b 0c" {
		t.Errorf("got %s, want 0b 0c", got)
	}
}

func TestNoCerts(t *testing.T) {
	certs := Certs(now(), nil, nil)
	golden.Equal(t, "certs-none.txt", both(t, certs, func(b *strings.Builder) error {
		return CertsText(b, Style{}, now(), certs)
	}))
}
