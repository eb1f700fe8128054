package traefik_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/pkg/unit/unittest"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testnet"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

const domain = "phoenix.localhost"

// proxy is a real Traefik whose certificates were made beforehand.
type proxy struct {
	folder traefik.Folder
	client *traefik.Client
	ca     *testca.CA
	https  string // host:port
	base   traefik.Dynamic
}

func start(t *testing.T, hosts ...string) *proxy {
	t.Helper()
	program := testenv.Traefik(t)
	block := testnet.Block(t)
	api := block + ".102:9091"
	p := &proxy{
		folder: traefik.Folder(filepath.Join(t.TempDir(), "traefik")), ca: testca.New(t), client: traefik.NewClient(api),
		https: block + ".102:8443",
	}
	t.Cleanup(p.client.Close)
	if err := p.folder.Prepare(); err != nil {
		t.Fatal(err)
	}
	p.storeCertificates(t, hosts)
	p.base = traefik.Dynamic{Resolvers: traefik.ResolverNames(1)}
	var err error
	if p.base.DefaultCertificate, p.base.DefaultKey, err = p.folder.DefaultPair(); err != nil {
		t.Fatal(err)
	}
	root, err := p.folder.Trust(p.ca.Root())
	if err != nil {
		t.Fatal(err)
	}
	content, err := traefik.Static{
		HTTPS: p.https, API: api, Gateway: []string{block + ".101"}, RootFile: root, Life: 24 * time.Hour, Resolvers: 1,
		// Nobody answers there: what has no certificate never gets one.
		ACMEDirectory: "https://127.0.0.1:1/directory", Storage: p.folder.Storage(), Dynamic: p.folder.Dynamic(),
	}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	config, err := p.folder.WriteStatic(content)
	if err != nil {
		t.Fatal(err)
	}
	p.apply(t, p.base)
	units := unittest.Start(t)
	if _, err := units.Define(t.Context(), unit.Unit{Name: "traefik", Exec: []string{program, "--configfile=" + config}}); err != nil {
		t.Fatal(err)
	}
	if err := units.Start(t.Context(), "traefik"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *proxy) storeCertificates(t *testing.T, hosts []string) {
	t.Helper()
	type entry struct {
		Domain      map[string]string `json:"domain"`
		Certificate []byte            `json:"certificate"`
		Key         []byte            `json:"key"`
		Store       string
	}
	var entries []entry
	for _, h := range hosts {
		chain, key := p.ca.Issue(t, 23*time.Hour, h)
		entries = append(entries, entry{map[string]string{"main": h}, chain, key, "default"})
	}
	content, err := json.Marshal(map[string]any{"acme-1": map[string]any{"Account": nil, "Certificates": entries}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.folder.Storage(), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// apply writes a dynamic configuration.
func (p *proxy) apply(t *testing.T, d traefik.Dynamic) traefik.Dynamic {
	t.Helper()
	if err := p.folder.WriteDynamic(render(t, d)); err != nil {
		t.Fatal(err)
	}
	return d
}

// served waits until Traefik serves that configuration.
func (p *proxy) served(t *testing.T, d traefik.Dynamic) {
	t.Helper()
	eventually(t, "Traefik serves "+d.Marker(), func(ctx context.Context) error {
		ok, err := p.client.Serves(ctx, d.Marker())
		if err == nil && !ok {
			err = fmt.Errorf("not yet")
		}
		return err
	})
}

func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// get asks Traefik over a connection of its own, verifying.
func (p *proxy) get(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", p.https)
		},
		TLSClientConfig:   &tls.Config{RootCAs: p.ca.Pool(), MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), err
}

// backend answers with what it was asked.
func backend(t *testing.T, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "host %s path %s", r.Host, r.URL.EscapedPath())
	}))
	s.TLS = config
	if config == nil {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}

func TestRealTraefik(t *testing.T) {
	host := func(name string) string { return name + "." + domain }
	names := []string{"plain", "second", "ours", "foreign", "misnamed", "empty"}
	hosts := []string{host("proxy")}
	for _, n := range names {
		hosts = append(hosts, host(n))
	}
	p := start(t, hosts...)
	p.served(t, p.base)
	if err := p.client.Alive(t.Context()); err != nil {
		t.Error(err)
	}

	other := testca.New(t)
	root, err := p.folder.Trust(p.ca.Root())
	if err != nil {
		t.Fatal(err)
	}
	d := p.base
	d.Own = []traefik.Own{{Label: "proxy", Host: host("proxy")}}
	d.Routes = []traefik.Route{
		{Service: "plain", Hosts: []string{host("plain"), host("second")}, Servers: []string{backend(t, nil)}},
		{Service: "ours", Hosts: []string{host("ours")}, Servers: []string{backend(t, p.ca.Server(t, "ours.lan"))}, TLS: &traefik.BackendTLS{RootFile: root, ServerName: "ours.lan"}},
		{Service: "foreign", Hosts: []string{host("foreign")}, Servers: []string{backend(t, other.Server(t, "127.0.0.1"))}, TLS: &traefik.BackendTLS{RootFile: root}},
		{Service: "misnamed", Hosts: []string{host("misnamed")}, Servers: []string{backend(t, p.ca.Server(t, "10.9.9.9"))}, TLS: &traefik.BackendTLS{RootFile: root}},
		{Service: "empty", Hosts: []string{host("empty")}},
		{Service: "uncertified", Hosts: []string{host("uncertified")}, Servers: []string{backend(t, nil)}},
	}
	p.served(t, p.apply(t, d))

	for _, tt := range []struct {
		url    string
		status int
		body   string
	}{
		{"https://proxy." + domain + "/", http.StatusOK, "OK"},
		{"https://plain." + domain + "/a%2Fb//c", http.StatusOK, "host plain." + domain + " path /a%2Fb/c"},
		{"https://second." + domain + "/", http.StatusOK, "host second." + domain + " path /"},
		{"https://ours." + domain + "/x", http.StatusOK, "host ours." + domain + " path /x"},
		{"https://foreign." + domain + "/", http.StatusInternalServerError, ""},
		{"https://misnamed." + domain + "/", http.StatusInternalServerError, ""},
		{"https://empty." + domain + "/", http.StatusServiceUnavailable, ""},
	} {
		status, body, err := p.get(t, tt.url)
		if err != nil || status != tt.status || !strings.HasPrefix(body, tt.body) {
			t.Errorf("%s: status %d, body %q, %v; want %d, %q", tt.url, status, body, err, tt.status, tt.body)
		}
	}
	for _, h := range []string{"uncertified", "unknown"} {
		if status, _, err := p.get(t, "https://"+host(h)); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: status %d, %v; want a refused handshake", h, status, err)
		}
	}

	routers, err := p.client.Routers(t.Context())
	if err != nil || len(routers) != len(d.Routes)+1 || !slices.Contains(routers, "service-plain") {
		t.Errorf("routers %v, %v", routers, err)
	}
	if faults, err := p.client.Faults(t.Context()); err != nil || len(faults) != 0 {
		t.Errorf("faults %v, %v", faults, err)
	}
}

func TestRealTraefikWithManyRoutes(t *testing.T) {
	p := start(t)
	d := p.base
	url := backend(t, nil)
	for i := range 1000 {
		name := fmt.Sprintf("s%d", i)
		d.Routes = append(d.Routes, traefik.Route{Service: name, Hosts: []string{name + "." + domain}, Servers: []string{url}})
	}
	d.Resolvers = nil // no order is of interest here
	p.served(t, p.base)
	began := time.Now()
	p.served(t, p.apply(t, d))
	t.Logf("1000 routes served after %s", time.Since(began))
	if routers, err := p.client.Routers(t.Context()); err != nil || len(routers) != 1000 {
		t.Errorf("%d routers, %v", len(routers), err)
	}
	d.Routes = d.Routes[:1]
	p.served(t, p.apply(t, d))
	if routers, err := p.client.Routers(t.Context()); err != nil || !slices.Equal(routers, []string{"service-s0"}) {
		t.Errorf("routers %v, %v", routers, err)
	}
}

func TestFaultsNameTheService(t *testing.T) {
	p := start(t)
	d := p.base
	d.Routes = []traefik.Route{
		{Service: "bad", Hosts: []string{"bad.phoenix.localhost`) || Nonsense(`x"}, Servers: []string{"http://127.0.0.1:1"}},
		{Service: "good", Hosts: []string{"good.phoenix.localhost"}, Servers: []string{"http://127.0.0.1:1"}},
	}
	p.served(t, p.apply(t, d))
	faults, err := p.client.Faults(t.Context())
	if err != nil || len(faults) != 1 || faults[0].Service != "bad" || len(faults[0].Errors) == 0 {
		t.Errorf("faults %+v, %v", faults, err)
	}
}

func TestTrustKeepsWhatIsUsed(t *testing.T) {
	f := traefik.Folder(t.TempDir())
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	used, err := f.Trust(testca.New(t).Root())
	if err != nil {
		t.Fatal(err)
	}
	unused, err := f.Trust(testca.New(t).Root())
	if err != nil || used == unused {
		t.Fatalf("%s, %s, %v", used, unused, err)
	}
	if err := f.KeepTrust([]string{used}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(used); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(unused); !os.IsNotExist(err) {
		t.Errorf("unused certificates are still there: %v", err)
	}
}

func TestPrepareClearsWhatACrashLeft(t *testing.T) {
	f := traefik.Folder(t.TempDir())
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".acme.json123", ".account.pem123", "tmp/.phoenix.yml123", "acme.json"} {
		if err := os.WriteFile(filepath.Join(string(f), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	var left []string
	err := filepath.WalkDir(string(f), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, filepath.Base(path))
		}
		return err
	})
	if err != nil || !slices.Equal(left, []string{"acme.json"}) {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestStaticFilesReplaceEachOther(t *testing.T) {
	f := traefik.Folder(t.TempDir())
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	first, err := f.WriteStatic([]byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.WriteStatic([]byte("b"))
	if err != nil || first == second {
		t.Fatalf("%s, %s, %v", first, second, err)
	}
	if left, err := filepath.Glob(filepath.Join(string(f), "static-*")); err != nil || !slices.Equal(left, []string{second}) {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDefaultPairIsMadeOnce(t *testing.T) {
	f := traefik.Folder(t.TempDir())
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	read := func() *x509.Certificate {
		cert, key, err := f.DefaultPair()
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf
	}
	if first := read(); !first.Equal(read()) {
		t.Error("another certificate at the second call")
	}
}
