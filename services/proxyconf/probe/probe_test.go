package probe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testacme"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testnet"
	"github.com/phoenix-platform/phoenix/services/proxyconf/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const host = "probe.phoenix.localhost"

func order(t *testing.T, ca *testca.CA) (probe.Order, *testacme.Server) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := testnet.Block(t)
	proxyAddress := block + ".102:8443"
	server := testacme.Start(t, ca, block+".103:9000", proxyAddress)
	return probe.Order{Directory: server.Directory(), Roots: ca.Pool(), Account: key, Host: host, Listen: proxyAddress}, server
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestOrder(t *testing.T) {
	o, server := order(t, testca.New(t))
	for range 2 { // the account is there at the second
		leaf, err := o.Run(within(t, 10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if server.Issued() != 2 {
		t.Errorf("%d certificates issued, want 2", server.Issued())
	}
}

func TestOrderFails(t *testing.T) {
	tests := map[string]struct {
		spoil func(t *testing.T, o *probe.Order, s *testacme.Server)
		err   string
	}{
		"the host is refused":  {func(_ *testing.T, _ *probe.Order, s *testacme.Server) { s.Refuse(host, true) }, "nobody claims"},
		"nobody is there":      {func(_ *testing.T, o *probe.Order, _ *testacme.Server) { o.Directory = "https://127.0.0.1:1/" }, "refused"},
		"another root":         {func(t *testing.T, o *probe.Order, _ *testacme.Server) { o.Roots = testca.New(t).Pool() }, "unknown authority"},
		"the address is taken": {occupy, "taken by another process"},
		"the wrong address": {func(_ *testing.T, o *probe.Order, _ *testacme.Server) {
			o.Listen = strings.Replace(o.Listen, "8443", "8444", 1)
		}, "unauthorized"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			o, server := order(t, testca.New(t))
			tt.spoil(t, &o, server)
			_, err := o.Run(within(t, 10*time.Second))
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), host) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}

func occupy(t *testing.T, o *probe.Order, _ *testacme.Server) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
}
