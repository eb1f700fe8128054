package config

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	svc := func(edit func(*Service)) func(*Stack) {
		return func(s *Stack) {
			v := Service{Name: "a", URL: "https://10.0.0.1:443"}
			edit(&v)
			s.Services = []Service{v}
		}
	}
	tests := []struct {
		name string
		edit func(*Stack)
		want string // empty: valid
	}{
		{"default", func(*Stack) {}, ""},
		{"stack name", func(s *Stack) { s.Stack = "My Home" }, "stack: "},
		{"driver", func(s *Stack) { s.Driver = "docker" }, `driver: "docker" is none of: local`},
		{"domain", func(s *Stack) { s.Domain = "-x" }, "domain: "},
		{"addresses of four octets", func(s *Stack) { s.Addresses = "127.0.0.1" }, "addresses: "},
		{"addresses with leading zero", func(s *Stack) { s.Addresses = "127.0.01" }, "addresses: "},
		{"addresses not loopback", func(s *Stack) { s.Addresses = "10.0.0" }, "addresses: the driver local needs a loopback block"},
		{"the common loopback block", func(s *Stack) { s.Addresses = "127.0.0" }, "addresses: 127.0.0 holds"},
		{"deadlines swapped", func(s *Stack) { s.Deadline.Run = 1e9 }, "deadline.run: 1s is shorter than deadline.step, 2m"},
		{"no deadline", func(s *Stack) { s.Deadline.Step = 0 }, "deadline.step: 0s is not between"},
		{"bus in clear text", func(s *Stack) { s.Bus.URL = "nats://a:1" }, "bus.url: the bus is reached over TLS only: tls://a:1"},
		{"bus with a password", func(s *Stack) { s.Bus.URL = "tls://u:p@a:1" }, "bus.url: holds credentials"},
		{"bus with a path", func(s *Stack) { s.Bus.URL = "tls://a:1/x" }, "bus.url: has more"},
		{"bus without a host", func(s *Stack) { s.Bus.URL = "tls:" }, "bus.url: "},
		{"short certificates", func(s *Stack) { s.CA.Duration = 60e9 }, "ca.duration: 1m is not"},
		{"life of the intermediate", func(s *Stack) { s.CA.IntermediateLife = s.CA.Duration }, "ca.intermediate_life: 24h is not longer"},
		{"life of the root", func(s *Stack) { s.CA.RootLife = Duration(100 * day) }, "ca.root_life: 100d is shorter"},
		{"CA name", func(s *Stack) { s.CA.Name = "a\nb" }, "ca.name: has a control character"},
		{"log level", func(s *Stack) { s.Log.Level = "warning" }, `did you mean "warn"?`},
		{"traefik path", func(s *Stack) { s.Traefik = "\x00" }, "traefik: has a control character"},

		{"service", svc(func(*Service) {}), ""},
		{"service name", svc(func(v *Service) { v.Name = "a.b" }), "services[0].name: "},
		{"own host", svc(func(v *Service) { v.Name = "gateway" }), "services[0].name: gateway.phoenix.localhost belongs to the stack itself"},
		{"foreign host", svc(func(v *Service) { v.Hosts = []string{"a.example.test"} }), "services[0].hosts[0]: "},
		{"wildcard host", svc(func(v *Service) { v.Hosts = []string{"*.phoenix.localhost"} }), "services[0].hosts[0]: "},
		{"host twice", svc(func(v *Service) { v.Hosts = []string{"x.phoenix.localhost", "x.phoenix.localhost"} }), "services[0].hosts[1]: x.phoenix.localhost is already a host of a"},
		{"no backend", svc(func(v *Service) { v.URL = "" }), "services[0].url: "},
		{"file", svc(func(v *Service) { v.URL = "file:///etc/passwd" }), "services[0].url: "},
		{"metadata", svc(func(v *Service) { v.URL = "http://169.254.169.254/" }), "services[0].url: "},
		{"own address", svc(func(v *Service) { v.URL = "https://127.0.1.103:9000" }), "services[0].url: "},
		{"disagreeing", svc(func(v *Service) { v.Backend = &Backend{Scheme: "http", Address: "10.0.0.1", Port: 80} }), "services[0].url: "},
		{"parts", svc(func(v *Service) { v.URL, v.Backend = "", &Backend{Scheme: "ftp", Address: "10.0.0.1"} }), "services[0].backend: "},
		{"verified http", svc(func(v *Service) { v.URL, v.ServerName = "http://10.0.0.1:80", "x.test" }), "services[0].url: ca, fingerprint and server_name"},
		{"issuer", svc(func(v *Service) { v.Issuer = "letsencrypt" }), "services[0].issuer: "},
		{"fingerprint", svc(func(v *Service) { v.Fingerprint = "abcd" }), "services[0].fingerprint: "},
		{"fingerprint with colons", svc(func(v *Service) { v.Fingerprint = strings.TrimSuffix(strings.Repeat("AB:", 32), ":") }), ""},
		{"ca", svc(func(v *Service) { v.CA = "not PEM" }), "services[0].ca: "},
		{"key as ca", svc(func(v *Service) { v.CA = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }), `services[0].ca: holds a "PRIVATE KEY"`},
		{"server name", svc(func(v *Service) { v.ServerName = "a b" }), "services[0].server_name: "},
		{
			"name twice",
			func(s *Stack) {
				s.Services = []Service{{Name: "a", URL: "http://10.0.0.1"}, {Name: "a", Hosts: []string{"b.phoenix.localhost"}, URL: "http://10.0.0.2"}}
			},
			`services[1].name: "a" is also the name of services[0]`,
		},
		{
			"host of another",
			func(s *Stack) {
				s.Services = []Service{{Name: "a", URL: "http://10.0.0.1"}, {Name: "b", Hosts: []string{"a.phoenix.localhost"}, URL: "http://10.0.0.2"}}
			},
			"services[1].hosts[0]: a.phoenix.localhost is already a host of a",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Default()
			tt.edit(&s)
			err := s.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want it valid", err)
			case tt.want != "" && err == nil:
				t.Errorf("valid, want %q", tt.want)
			case tt.want != "" && !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	s := Default()
	if got := s.Address(103).String(); got != "127.0.1.103" {
		t.Errorf("got %s", got)
	}
	for _, id := range []int{-1, 0, 255, 1001} {
		if a := s.Address(id); a.IsValid() {
			t.Errorf("Address(%d) = %s, want none", id, a)
		}
	}
}
