package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "service.yaml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func testConfig(t *testing.T, srv *bustest.Server) service.Config {
	t.Helper()
	return service.Config{
		Stack: "home", Domain: "phoenix.localhost", Address: "127.0.0.1", Health: freeAddress(t), State: t.TempDir(),
		Bus:     service.BusConfig{URL: srv.URL(), CA: srv.Folder.CA(), Identity: srv.Folder.Seed(events.Gateway)},
		Gateway: &service.GatewayConfig{HTTPS: []string{"127.0.0.1:0"}},
	}
}

func TestRunServesHealthAndEnds(t *testing.T) {
	srv := bustest.Start(t)
	config := testConfig(t, srv)
	raw, err := config.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	broken := errors.New("nginx is down")
	done := make(chan error, 1)
	go func() {
		done <- service.Run(ctx, events.Gateway, []string{"-config", write(t, raw)}, io.Discard,
			func(_ context.Context, rt *service.Runtime) ([]service.Worker, error) {
				rt.Health.Check("nginx", func(context.Context) error { return broken })
				return nil, nil
			})
	}()
	if code, _ := eventually(t, "http://"+config.Health+"/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
	code, body := eventually(t, "http://"+config.Health+"/readyz")
	var report map[string]string
	if err := json.Unmarshal(body, &report); err != nil || code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if report["bus"] != "ok" || report["nginx"] != broken.Error() {
		t.Errorf("report %v", report)
	}
	if code, body := eventually(t, "http://"+config.Health+"/metrics"); code != http.StatusOK || !bytes.Contains(body, []byte("go_goroutines")) {
		t.Errorf("/metrics: %d", code)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func eventually(t *testing.T, url string) (int, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, body
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %v", url, err)
		}
	}
}

func TestFailingWorkerEndsTheService(t *testing.T) {
	srv := bustest.Start(t)
	raw, err := testConfig(t, srv).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err = service.Run(context.Background(), events.Gateway, []string{"-config", write(t, raw)}, io.Discard,
		func(context.Context, *service.Runtime) ([]service.Worker, error) {
			return []service.Worker{service.WorkerFunc(func(context.Context) error { return boom })}, nil
		})
	if !errors.Is(err, boom) {
		t.Errorf("got %v; want %v", err, boom)
	}
}

func TestLoad(t *testing.T) {
	cases := []struct{ name, content, want string }{
		{"unknown key", "stack: home\ndomein: x\n", `unknown field "domein"`},
		{"wrong type", "stack: [1]\n", "2"},
		{"not YAML", "a: b: c", "configuration"},
		{"alias bomb", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "unknown field"},
		{"too large", strings.Repeat("#", 2<<20), "larger than"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := service.Load(write(t, []byte(c.content)))
			if err == nil || (c.name != "wrong type" && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}

func TestValidateReportsAll(t *testing.T) {
	err := service.Config{Stack: "home"}.Validate(events.CA)
	for _, want := range []string{"domain is missing", "bus.identity is missing", "the part of service ca is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}
