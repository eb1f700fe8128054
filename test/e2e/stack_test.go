package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
)

// programs is the folder of the programs under test, built once.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "phoenix-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	programs = folder
	if err := build(folder); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}

func build(folder string) error {
	const root = "github.com/phoenix-platform/phoenix/"
	for program, pkg := range map[string]string{
		"phoenix-cli": "cmd/phoenix-cli", "phoenix-provisioner": "services/provisioner", "phoenix-ca": "services/ca",
		"phoenix-proxyconf": "services/proxyconf", "phoenix-gateway": "services/gateway",
	} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(folder, program), root+pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", program, err, out)
		}
	}
	return nil
}

// blocks numbers the blocks of addresses that the tests of this run take. Two
// runs side by side take different ones.
var blocks atomic.Int32

func nextBlock() string { return fmt.Sprintf("127.%d.%d", 32+os.Getpid()%200, blocks.Add(1)) }

const domain = "phoenix.localhost"

// stack is one home with its own block of addresses.
type stack struct {
	t       *testing.T
	home    string
	block   string
	traefik string
	nginx   string
}

// newStack makes an empty home; whatever runs in it ends with the test.
func newStack(t *testing.T) *stack {
	t.Helper()
	if testing.Short() {
		t.Skip("end-to-end tests take minutes; run without -short")
	}
	s := &stack{t: t, traefik: testenv.Traefik(t), nginx: testenv.Nginx(t)}
	s.home = filepath.Join(t.TempDir(), "home")
	s.block = nextBlock()
	t.Cleanup(s.cleanup)
	return s
}

func (s *stack) cleanup() {
	if s.t.Failed() {
		s.dumpLogs()
	}
	r := s.cli("down", "--purge")
	if r.code != 0 {
		s.t.Errorf("down --purge ended with %d:\n%s%s", r.code, r.stdout, r.stderr)
	}
	if left := s.processes(); len(left) > 0 {
		s.t.Errorf("processes left behind: %v", left)
	}
}

// dumpLogs shows the end of each unit's log.
func (s *stack) dumpLogs() {
	logs, _ := filepath.Glob(filepath.Join(s.home, "host", "log", "*"))
	more, _ := filepath.Glob(filepath.Join(s.home, "*.log"))
	for _, path := range append(logs, more...) {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if len(raw) > 6000 {
			raw = raw[len(raw)-6000:]
		}
		s.t.Logf("--- %s\n%s", filepath.Base(path), raw)
	}
}

// env is the environment of a person who works with this home.
func (s *stack) env() []string {
	return append(os.Environ(), "PHOENIX_HOME="+s.home, "PHOENIX_ADDRESSES="+s.block,
		"PHOENIX_TRAEFIK="+s.traefik, "PHOENIX_NGINX="+s.nginx, "NO_COLOR=1",
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

func (r result) String() string {
	return fmt.Sprintf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
}

// cli runs phoenix-cli in this home.
func (s *stack) cli(args ...string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	return s.exec(exec.CommandContext(ctx, filepath.Join(programs, "phoenix-cli"), args...))
}

// shell runs a line as a person types it, after eval "$(phoenix-cli env)".
func (s *stack) shell(line string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.exec(exec.CommandContext(ctx, "bash", "-c", `eval "$(phoenix-cli env)" && `+line))
}

func (s *stack) exec(cmd *exec.Cmd) result {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env(), &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("%s: %v\n%s%s", cmd, err, stdout.String(), stderr.String())
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs phoenix-cli and fails the test unless it exits 0.
func (s *stack) must(args ...string) result {
	s.t.Helper()
	r := s.cli(args...)
	if r.code != 0 {
		s.t.Fatalf("phoenix-cli %s: %s", strings.Join(args, " "), r)
	}
	return r
}

// decode reads what a command printed with -o json.
func decode[T any](s *stack, args ...string) T {
	s.t.Helper()
	r := s.must(append(args, "-o", "json")...)
	var v T
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		s.t.Fatalf("phoenix-cli %s: %v\n%s", strings.Join(args, " "), err, r.stdout)
	}
	return v
}

// status is the contract's JSON of phoenix-cli status.
type status struct {
	Stack, State, Run, Address string
	CA                         struct {
		URL             string
		ACMEDirectory   string `json:"acme_directory"`
		RootFingerprint string `json:"root_fingerprint"`
	}
	Containers []struct {
		ID                                 int
		Role, Name, Address, Driver, State string
	}
	Services []struct {
		Name     string
		Hosts    []string
		URL      string
		State    string
		Issuer   string
		Serial   string
		NotAfter time.Time `json:"not_after"`
		Hops     []struct {
			From, To            string
			Encrypted, Verified bool
		}
	}
}

// cert is one row of the contract's JSON of phoenix-cli certs.
type cert struct {
	Serial      string
	Names       []string
	Provisioner string
	Issuer      string
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Holder      string
	State       string
}

// letter is one row of the contract's JSON of phoenix-cli deadletters list.
type letter struct {
	ID, Subject, Consumer, Reason string
	Deliveries                    int
	Time                          time.Time
}

func (s *stack) gateway() string { return s.block + ".101:8443" }

// roots is what an outside client trusts: the stack's root alone.
func (s *stack) roots() *x509.CertPool {
	s.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(s.must("trust").stdout)) {
		s.t.Fatal("phoenix-cli trust printed no certificate")
	}
	return pool
}

// client verifies with the stack's root and takes every name to the gateway.
// It opens a connection for each request.
func (s *stack) client() *http.Client {
	s.t.Helper()
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: s.roots(), MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, s.gateway())
			},
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what the front door said.
type answer struct {
	code   int
	body   []byte
	serial string // as openssl x509 -serial shows it, in lower case
}

func get(c *http.Client, url string) (answer, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{code: resp.StatusCode, body: body}
	if resp.TLS != nil {
		a.serial = fmt.Sprintf("%x", resp.TLS.PeerCertificates[0].SerialNumber)
		if len(a.serial)%2 == 1 {
			a.serial = "0" + a.serial
		}
	}
	return a, nil
}

// echo is what a stand-in backend answers.
type echo struct {
	Service, Method, Path, Host string
	Headers                     map[string]any
}

// reach asks a host through the front door until it answers as service, or the
// deadline passes.
func (s *stack) reach(c *http.Client, host, service string) answer {
	s.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		a, err := get(c, "https://"+host+":8443/some/path")
		if err == nil && a.code == http.StatusOK {
			var e echo
			if err := json.Unmarshal(a.body, &e); err != nil || e.Service != service {
				s.t.Fatalf("%s answered %q (%v); want service %s", host, a.body, err, service)
			}
			return a
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not answer: %v %d %q", host, err, a.code, a.body)
		}
		pause(100 * time.Millisecond)
	}
}

// pause paces polling.
func pause(d time.Duration) { <-time.After(d) }

// eventually polls until ok or the deadline passes.
func eventually(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(d); !ok(); pause(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}

// processes lists what runs with this home in its environment or arguments.
func (s *stack) processes() map[int]string {
	out := map[int]string{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil || pid == os.Getpid() {
			continue
		}
		args, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if bytes.Contains(args, []byte(s.home)) || bytes.Contains(environ, []byte(s.home)) {
			out[pid] = strings.TrimSpace(strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return out
}
