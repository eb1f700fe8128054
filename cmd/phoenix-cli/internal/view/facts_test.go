package view

import (
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

// now is when all tests look.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// facts is a stack with a service in each state.
func facts() Facts {
	until := now().Add(23 * time.Hour)
	container := func(id int, role events.Role, name, address string) events.ContainerState {
		return events.ContainerState{ID: id, Role: role, Name: name, Stack: "home", Address: address, Driver: "local", State: events.StateReady}
	}
	served := func(host, serial string) events.GatewayHost {
		return events.GatewayHost{Host: host, Serial: serial, NotAfter: until, State: events.StateReady}
	}
	https := func(port int) events.Backend {
		return events.Backend{Scheme: "https", Address: "10.0.0.5", Port: port}
	}
	return Facts{
		Now:   now(),
		Alive: true,
		Stack: events.StackState{
			Stack: "home", State: events.StateReady, Want: events.Present, Run: "home-12",
			Address: "https://gateway.phoenix.localhost:8443/", Domain: "phoenix.localhost", Since: now().Add(-95 * time.Minute),
		},
		CA: events.CAState{CAReady: events.CAReady{
			URL: "https://127.0.1.103:9000", ACMEDirectory: "https://127.0.1.103:9000/acme/acme/directory",
			RootFingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		}},
		Containers: []events.ContainerState{
			container(103, events.RoleCA, "ca", "127.0.1.103"),
			container(101, events.RoleGateway, "gateway", "127.0.1.101"),
			container(102, events.RoleProxy, "proxy", "127.0.1.102"),
		},
		Services: []events.ServiceState{
			{
				Name: "portainer", Hosts: []string{"portainer.phoenix.localhost", "docker.phoenix.localhost"}, Backend: https(9443),
				Issuer: events.IssuerACME, Owner: events.Provisioner, State: events.StateReady, Encrypted: true, Verified: true,
			},
			{
				Name: "grafana", Hosts: []string{"grafana.phoenix.localhost"}, Owner: events.Ops, State: events.StateReady,
				Backend: events.Backend{Scheme: "http", Address: "127.0.0.1", Port: 3000}, Issuer: events.IssuerBus,
			},
			{
				Name: "broken", Hosts: []string{"broken.phoenix.localhost"}, Backend: https(1), Owner: events.Ops,
				State: events.StateDegraded, Reason: "the backend shows\x1b[31m a certificate of somebody else", Encrypted: true,
			},
			{
				Name: "young", Hosts: []string{"young.phoenix.localhost"}, Backend: https(2), Owner: events.Ops,
				State: events.StateReady, Encrypted: true, Verified: true,
			},
		},
		Hosts: map[string]events.GatewayHost{
			"portainer.phoenix.localhost": served("portainer.phoenix.localhost", "1a2b3c"),
			"docker.phoenix.localhost":    served("docker.phoenix.localhost", "1a2b3d"),
			"grafana.phoenix.localhost":   served("grafana.phoenix.localhost", "4d5e6f"),
		},
		Wanted: []Wanted{
			{Name: "portainer", Hosts: []string{"portainer.phoenix.localhost"}},
			{Name: "later", Hosts: []string{"later.phoenix.localhost"}, Issuer: events.IssuerWildcard},
		},
		Units: []unit.Status{{Name: "103-ca", State: unit.Active}},
	}
}
