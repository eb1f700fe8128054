package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/bus/bustest"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/service"
	"github.com/phoenix-platform/phoenix/pkg/unit"
	"github.com/phoenix-platform/phoenix/pkg/unit/unittest"
)

// processBlock is where the tests' processes serve.
const processBlock = "127.17.4"

// TestKilledProvisionerEndsTheRun runs the provisioner as a process of its own,
// under a host that starts it again, and kills it at many moments of many runs.
// The other services are processes too; they are played by this very program.
func TestKilledProvisionerEndsTheRun(t *testing.T) {
	t.Parallel()
	r := newProcessRig(t)
	end[events.StackReady](r.rig, r.up())
	for n := range 6 {
		run := r.up()
		<-time.After(time.Duration(n*n*5) * time.Millisecond)
		r.kill("100-provisioner")
		end[events.StackReady](r.rig, run)
	}
	for _, c := range r.containers() {
		if c.Run != events.RunID("home", 1) {
			t.Errorf("container %d was created again by run %s", c.ID, c.Run)
		}
	}
	r.kill("103-ca")
	end[events.StackReady](r.rig, r.up())

	end[events.StackRemoved](r.rig, r.request(events.StackRequested{Stack: "home", Want: events.Absent, Purge: true}))
	if left := r.folders(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// processRig is a rig whose provisioner and services are processes.
type processRig struct {
	*rig
	units *unittest.Runner
}

func newProcessRig(t *testing.T) *processRig {
	t.Helper()
	r := &processRig{rig: &rig{t: t, bus: bustest.Start(t), home: t.TempDir()}, units: unittest.Start(t)}
	r.ops = r.bus.Connect(t, events.Ops)
	r.configure("home", func(s *config.Stack) { s.Addresses = processBlock })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range events.Services() {
		seed, err := os.ReadFile(r.bus.Folder.Seed(id))
		if err != nil {
			t.Fatal(err)
		}
		r.file("identities/"+string(id)+".nk", seed)
		r.file("programs/.keep", nil)
		if err := os.Symlink(self, filepath.Join(r.home, "programs", "phoenix-"+string(id))); err != nil {
			t.Fatal(err)
		}
	}
	r.certify("ca.phoenix.localhost", "proxy.phoenix.localhost", "gateway.phoenix.localhost")
	r.serveUnits()
	r.runProvisioner()
	return r
}

// serveUnits lets the provisioner reach the host as it does in earnest.
func (r *processRig) serveUnits() {
	r.t.Helper()
	l, err := unit.Listen(filepath.Join(r.home, "host.sock"))
	if err != nil {
		r.t.Fatal(err)
	}
	server := &http.Server{Handler: unit.NewHandler(onlyUnits{r.units}, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	r.t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-done); !errors.Is(err, http.ErrServerClosed) {
			r.t.Error(err)
		}
	})
}

// onlyUnits is a host that has units and nothing else to tell.
type onlyUnits struct{ unit.Manager }

func (onlyUnits) Info(context.Context) (unit.Info, error) { return unit.Info{}, nil }
func (onlyUnits) Shutdown(context.Context) error          { return errors.ErrUnsupported }

func (r *processRig) runProvisioner() {
	r.t.Helper()
	c := r.runtime().Config
	c.Stack, c.Domain, c.Address, c.Health = "home", "phoenix.localhost", processBlock+".100", processBlock+".100:9090"
	c.State, c.Bus.Identity = r.home, filepath.Join(r.home, "identities/provisioner.nk")
	c.Provisioner.Addresses = processBlock
	raw, err := c.Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	r.file("provisioner.yaml", raw)
	u := unit.Unit{Name: "100-provisioner", Exec: []string{filepath.Join(r.home, "programs/phoenix-provisioner"), "--config", filepath.Join(r.home, "provisioner.yaml")}}
	if _, err := r.units.Define(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
	if err := r.units.Start(r.t.Context(), u.Name); err != nil {
		r.t.Fatal(err)
	}
}

// kill kills the process of a unit; the host starts it again.
func (r *processRig) kill(name string) {
	r.t.Helper()
	r.eventually(name+" runs", func() bool {
		s, err := r.units.Status(r.t.Context(), name)
		return err == nil && s.PID != 0 && syscall.Kill(s.PID, syscall.SIGKILL) == nil
	})
}

// certify makes a root and one certificate for all names, where the played
// services find them.
func (r *processRig) certify(names ...string) {
	r.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names, NotBefore: root.NotBefore, NotAfter: root.NotAfter}
	for file, c := range map[string]*x509.Certificate{"root.pem": root, "leaf.pem": leaf} {
		der, err := x509.CreateCertificate(rand.Reader, c, root, key.Public(), key)
		if err != nil {
			r.t.Fatal(err)
		}
		r.file("pki/"+file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		r.t.Fatal(err)
	}
	r.file("pki/key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// playProgram is what this program does under a service's name: the provisioner
// is real, the others serve HTTPS, answer everything with 200, and say that they
// are ready.
func playProgram(id events.Identity) int {
	switch id {
	case events.Provisioner:
		return service.Main(id, build)
	case events.CA:
		return service.Main(id, playService(events.RoleCA, "acme", func(root string) events.Payload {
			block, _ := pem.Decode([]byte(root))
			sum := sha256.Sum256(block.Bytes)
			return events.CAReady{URL: "https://ca.phoenix.localhost:9000", Root: root, RootFingerprint: hex.EncodeToString(sum[:])}
		}))
	case events.Proxyconf:
		return service.Main(id, playService(events.RoleProxy, "https", func(string) events.Payload {
			return events.ProxyReady{Address: processBlock + ".102:8443", Host: "proxy.phoenix.localhost"}
		}))
	default:
		return service.Main(id, playService(events.RoleGateway, "https", func(string) events.Payload {
			return events.GatewayReady{Addresses: []string{processBlock + ".101:8443"}}
		}))
	}
}

func playService(role events.Role, port string, answer func(root string) events.Payload) service.Build {
	return func(_ context.Context, rt *service.Runtime) ([]service.Worker, error) {
		pki := filepath.Join(rt.Config.State, "../../../../../pki")
		root, err := os.ReadFile(filepath.Join(pki, "root.pem"))
		if err != nil {
			return nil, err
		}
		pair, err := tls.LoadX509KeyPair(filepath.Join(pki, "leaf.pem"), filepath.Join(pki, "key.pem"))
		if err != nil {
			return nil, err
		}
		serve := func(ctx context.Context) error {
			return serveHTTPS(ctx, net.JoinHostPort(rt.Config.Address, map[string]string{"acme": "9000", "https": "8443"}[port]), pair)
		}
		hear := func(ctx context.Context, e events.Event[events.ContainerReady]) error {
			if e.Data.Role != role {
				return nil
			}
			_, err := rt.Bus.Publish(ctx, answer(string(root)))
			return err
		}
		return []service.Worker{service.WorkerFunc(serve), events.On(rt.Bus, hear)}, nil
	}
}

// serveHTTPS answers everything with 200 until ctx ends.
func serveHTTPS(ctx context.Context, address string, pair tls.Certificate) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ReadHeaderTimeout: time.Minute, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
