package backend_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/proxyconf/backend"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func service(scheme, address string, port int) registry.Service {
	return registry.Service{Name: "s", Backend: events.Backend{Scheme: scheme, Address: address, Port: port}, Sequence: 7}
}

func TestPlan(t *testing.T) {
	withCA := service("https", "nas.lan", 5001)
	withCA.CA, withCA.ServerName = "CA", "nas"
	pinned := service("https", "10.0.0.5", 443)
	pinned.Fingerprint = "ab"
	tests := map[string]struct {
		s    registry.Service
		want backend.Route
	}{
		"http address":  {service("http", "10.0.0.5", 80), backend.Route{Sequence: 7, Servers: []string{"http://10.0.0.5:80"}}},
		"http name":     {service("http", "nas.lan", 80), backend.Route{Sequence: 7, Pending: true}},
		"https address": {service("https", "fd00::5", 443), backend.Route{Sequence: 7, Servers: []string{"https://[fd00::5]:443"}, Trust: "ROOT", Encrypted: true, Pending: true}},
		"https name":    {service("https", "nas.lan", 443), backend.Route{Sequence: 7, Trust: "ROOT", ServerName: "nas.lan", Encrypted: true, Pending: true}},
		"given ca":      {withCA, backend.Route{Sequence: 7, Trust: "CA", ServerName: "nas", Encrypted: true, Pending: true}},
		"fingerprint":   {pinned, backend.Route{Sequence: 7, Servers: []string{"https://10.0.0.5:443"}, Encrypted: true, Pending: true}},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			got := backend.Plan(tt.s, "ROOT")
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
			if wantUsable := len(tt.want.Servers) > 0 && tt.s.Fingerprint == ""; got.Usable() != wantUsable {
				t.Errorf("usable %t, want %t", got.Usable(), wantUsable)
			}
		})
	}
}

// serve runs an HTTPS server and returns its port and its leaf's fingerprint.
func serve(t *testing.T, config *tls.Config) (port int, fingerprint string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = nil
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	_, p, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if port, err = strconv.Atoi(p); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(config.Certificates[0].Certificate[0])
	return port, hex.EncodeToString(sum[:])
}

// hosts is a resolver that knows these names alone.
type hosts map[string]string

func (h hosts) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	ip, ok := h[host]
	if !ok {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{netip.MustParseAddr(ip)}, nil
}

func checker() backend.Checker {
	return backend.Checker{Policy: name.Policy{
		AllowLoopback: true, Resolver: hosts{"nas.lan": "127.0.0.1", "metadata.lan": "169.254.169.254"},
	}}
}

func TestCheck(t *testing.T) {
	ours, other := testca.New(t), testca.New(t)
	byAddress, fingerprint := serve(t, ours.Server(t, "127.0.0.1"))
	byName, _ := serve(t, ours.Server(t, "nas.lan"))
	foreign, foreignPrint := serve(t, other.Server(t, "*.appliance.lan"))
	nameless, namelessPrint := serve(t, other.Server(t))
	expired, expiredPrint := serve(t, expiredServer(t, other))
	tests := map[string]struct {
		s      registry.Service
		change func(*registry.Service)
		reason string // part of it; empty: verified
		want   func(t *testing.T, r backend.Route)
	}{
		"our root, address":     {s: service("https", "127.0.0.1", byAddress)},
		"our root, name":        {s: service("https", "nas.lan", byName), want: wantServers("https://127.0.0.1:" + strconv.Itoa(byName))},
		"our root, given name":  {s: service("https", "127.0.0.1", byName), change: func(s *registry.Service) { s.ServerName = "nas.lan" }},
		"wrong name":            {s: service("https", "127.0.0.1", byName), reason: "127.0.0.1"},
		"another root":          {s: service("https", "127.0.0.1", foreign), change: func(s *registry.Service) { s.ServerName = "x.appliance.lan" }, reason: "unknown authority"},
		"given ca":              {s: service("https", "127.0.0.1", foreign), change: func(s *registry.Service) { s.CA, s.ServerName = string(other.Root()), "x.appliance.lan" }},
		"wrong ca":              {s: service("https", "127.0.0.1", byAddress), change: func(s *registry.Service) { s.CA = string(other.Root()) }, reason: "unknown authority"},
		"fingerprint, address":  {s: service("https", "127.0.0.1", byAddress), change: func(s *registry.Service) { s.Fingerprint = fingerprint }, want: wantServerName("")},
		"fingerprint, wildcard": {s: service("https", "127.0.0.1", foreign), change: func(s *registry.Service) { s.Fingerprint = foreignPrint }, want: wantServerName("any.appliance.lan")},
		"fingerprint, no name":  {s: service("https", "127.0.0.1", nameless), change: func(s *registry.Service) { s.Fingerprint = namelessPrint }, reason: "no name"},
		"fingerprint, expired":  {s: service("https", "127.0.0.1", expired), change: func(s *registry.Service) { s.Fingerprint = expiredPrint }, reason: "expired"},
		"wrong fingerprint":     {s: service("https", "127.0.0.1", foreign), change: func(s *registry.Service) { s.Fingerprint = fingerprint }, reason: "not the given one"},
		"nobody there":          {s: service("https", "127.0.0.1", 1), reason: "refused"},
		"unknown name":          {s: service("http", "gone.lan", 80), reason: "no such host"},
		"known name":            {s: service("http", "nas.lan", 80), want: wantServers("http://127.0.0.1:80")},
		"forbidden address":     {s: service("http", "metadata.lan", 80), reason: "link-local", want: wantServers()},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			if tt.change != nil {
				tt.change(&tt.s)
			}
			root := string(ours.Root())
			r := checker().Check(t.Context(), tt.s, root, backend.Plan(tt.s, root))
			https := tt.s.Backend.Scheme == "https"
			if r.Pending || r.Encrypted != https || r.Verified != (https && tt.reason == "") {
				t.Errorf("got %+v", r)
			}
			if (r.Reason == "") != (tt.reason == "") || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("reason %q, want one with %q", r.Reason, tt.reason)
			}
			if tt.reason == "" && !r.Usable() {
				t.Errorf("not usable: %+v", r)
			}
			if tt.want != nil {
				tt.want(t, r)
			}
		})
	}
}

func wantServers(want ...string) func(*testing.T, backend.Route) {
	return func(t *testing.T, r backend.Route) {
		if strings.Join(r.Servers, " ") != strings.Join(want, " ") {
			t.Errorf("servers %v, want %v", r.Servers, want)
		}
	}
}

func wantServerName(want string) func(*testing.T, backend.Route) {
	return func(t *testing.T, r backend.Route) {
		if r.ServerName != want {
			t.Errorf("server name %q, want %q", r.ServerName, want)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(r.Trust)) {
			t.Errorf("trust %q", r.Trust)
		}
	}
}

func expiredServer(t *testing.T, ca *testca.CA) *tls.Config {
	t.Helper()
	cert, err := tls.X509KeyPair(ca.Issue(t, -30*time.Second, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
}

func TestFormerRouteStaysInForce(t *testing.T) {
	ca := testca.New(t)
	port, fingerprint := serve(t, ca.Server(t, "127.0.0.1"))
	s := service("https", "127.0.0.1", port)
	s.Fingerprint = fingerprint
	good := checker().Check(t.Context(), s, "", backend.Plan(s, ""))

	s.Backend.Port = 1 // as if nobody listened any more
	away := checker().Check(t.Context(), s, "", good)
	if !away.Verified || away.Reason != "" || away.Trust != good.Trust {
		t.Errorf("verified before, now away: %+v", away)
	}
	other, _ := serve(t, testca.New(t).Server(t, "127.0.0.1"))
	s.Backend.Port = other
	changed := checker().Check(t.Context(), s, "", good)
	if changed.Verified || changed.Reason == "" || changed.Trust != good.Trust {
		t.Errorf("verified before, now another certificate: %+v", changed)
	}
	lost := service("http", "gone.lan", 80)
	former := backend.Plan(lost, "")
	former.Servers = []string{"http://10.0.0.5:80"}
	if r := checker().Check(t.Context(), lost, "", former); len(r.Servers) != 1 || r.Reason == "" {
		t.Errorf("name no longer found: %+v", r)
	}
}
