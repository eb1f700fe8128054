package name_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// hosts is a resolver that knows these names alone.
type hosts map[string][]string

func (h hosts) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	found, ok := h[host]
	if !ok {
		return nil, errors.New("no such host")
	}
	var ips []netip.Addr
	for _, s := range found {
		ips = append(ips, netip.MustParseAddr(s))
	}
	return ips, nil
}

func policy(t *testing.T, loopback bool) name.Policy {
	t.Helper()
	p, err := name.ParsePolicy(loopback, []string{"127.16.0.102", "10.99.0.0/16", "127.16.0.1:8443", "fd99::/16"})
	if err != nil {
		t.Fatal(err)
	}
	p.Resolver = hosts{
		"nas.lan": {"10.0.0.5", "fd00::5"}, "mapped.lan": {"::ffff:10.0.0.5"}, "rebound.lan": {"10.0.0.5", "169.254.169.254"},
		"inner.lan": {"127.0.0.1"}, "mapped-loop.lan": {"::ffff:127.0.0.1"}, "own.lan": {"127.16.0.102"}, "empty.lan": {},
	}
	return p
}

func TestPolicy(t *testing.T) {
	tests := []struct {
		address  string
		port     int
		loopback bool   // whether loopback is allowed
		err      string // part of the error
	}{
		{address: "10.0.0.5"},
		{address: "192.168.1.5"},
		{address: "203.0.113.5"},
		{address: "fd00::5"},
		{address: "2001:db8::5"},
		{address: "nas.lan"},
		{address: "mapped.lan"},
		{address: "127.0.0.1", err: "loopback"},
		{address: "127.0.0.1", loopback: true},
		{address: "127.255.0.9", err: "loopback"},
		{address: "::1", err: "loopback"},
		{address: "::1", loopback: true},
		{address: "localhost", err: "loopback"},
		{address: "localhost", loopback: true},
		{address: "app.phoenix.localhost", err: "loopback"},
		{address: "inner.lan", err: "loopback"},
		{address: "inner.lan", loopback: true},
		{address: "mapped-loop.lan", err: "loopback"},
		{address: "::ffff:127.0.0.1", loopback: true, err: "IPv4 address in IPv6 form"},
		{address: "::ffff:10.0.0.5", err: "IPv4 address in IPv6 form"},
		{address: "::127.0.0.1", loopback: true, err: "IPv4 address in IPv6 form"},
		{address: "64:ff9b::a9fe:a9fe", err: "IPv4 address in IPv6 form"},
		{address: "2002:a9fe:a9fe::", err: "IPv4 address in IPv6 form"},
		{address: "169.254.169.254", err: "link-local"},
		{address: "169.254.0.1", err: "link-local"},
		{address: "fe80::1", err: "link-local"},
		{address: "fd00:ec2::254", err: "metadata"},
		{address: "100.100.100.200", err: "metadata"},
		{address: "rebound.lan", err: "link-local"},
		{address: "0.0.0.0", loopback: true, err: "unspecified"},
		{address: "0.0.0.1", loopback: true, err: "unspecified"},
		{address: "::", loopback: true, err: "unspecified"},
		{address: "224.0.0.1", err: "multicast"},
		{address: "ff02::1", err: "multicast"},
		{address: "255.255.255.255", err: "reserved"},
		{address: "127.16.0.102", loopback: true, err: "stack's own"},
		{address: "own.lan", loopback: true, err: "stack's own"},
		{address: "10.99.1.2", err: "stack's own"},
		{address: "fd99::1", err: "stack's own"},
		{address: "127.16.0.1", port: 8443, loopback: true, err: "stack's own"},
		{address: "127.16.0.1", port: 8444, loopback: true},
		{address: "unknown.lan", err: "no such host"},
		{address: "empty.lan", err: "no address"},
	}
	for _, tt := range tests {
		t.Run(tt.address, func(t *testing.T) {
			b := events.Backend{Scheme: "http", Address: tt.address, Port: 80}
			if tt.port != 0 {
				b.Port = tt.port
			}
			err := policy(t, tt.loopback).Check(t.Context(), b)
			switch {
			case tt.err == "" && err != nil:
				t.Fatalf("Check = %v, want nil", err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Fatalf("Check = %v, want an error with %q", err, tt.err)
			}
		})
	}
}

func TestCheckLiteralAsksNobody(t *testing.T) {
	p := policy(t, false)
	p.Resolver = hosts{}
	for address, ok := range map[string]bool{"nas.lan": true, "10.0.0.5": true, "127.0.0.1": false, "localhost": false, "169.254.169.254": false} {
		err := p.CheckLiteral(events.Backend{Scheme: "http", Address: address, Port: 80})
		if (err == nil) != ok {
			t.Errorf("CheckLiteral(%s) = %v, want ok %t", address, err, ok)
		}
	}
}

func TestResolve(t *testing.T) {
	ips, err := policy(t, false).Resolve(t.Context(), events.Backend{Scheme: "http", Address: "mapped.lan", Port: 80})
	if err != nil || len(ips) != 1 || ips[0].String() != "10.0.0.5" {
		t.Errorf("Resolve = %v, %v; want [10.0.0.5]", ips, err)
	}
}

func TestParsePolicyRefusesNonsense(t *testing.T) {
	for _, s := range []string{"", "nas.lan", "10.0.0.0/33", "10.0.0.5:99999", "nas.lan:80"} {
		if _, err := name.ParsePolicy(false, []string{s}); err == nil {
			t.Errorf("ParsePolicy(%q) = nil, want an error", s)
		}
	}
}
