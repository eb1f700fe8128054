package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/service"
)

func TestSiteOf(t *testing.T) {
	good := service.Config{
		Domain: domain, State: "/state", Curve: "/curve",
		Gateway: &service.GatewayConfig{HTTPS: []string{"127.0.0.1:8443"}, HTTP: []string{"[::1]:8080"}, PublicPort: 443, Nginx: "/nginx", NginxUnit: "101-nginx"},
	}
	site, err := siteOf(good)
	if err != nil || site.PublicPort != 443 || site.HTTPS[0].Port() != 8443 || site.OwnHost() != ownHost {
		t.Errorf("got %+v, %v", site, err)
	}
	_, err = siteOf(service.Config{
		Domain: "a b", State: "state",
		Gateway: &service.GatewayConfig{HTTP: []string{"localhost:80"}, PublicPort: 70000, Nginx: "nginx"},
	})
	for _, want := range []string{"domain", "gateway.https is missing", "gateway.http: ", "gateway.public_port is 70000", "state is", "gateway.nginx is", "curve is"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestReadCurve(t *testing.T) {
	_, public, seed := curve(t)
	file := filepath.Join(t.TempDir(), "curve.nk")
	write := func(content []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(append(seed, '\n'), 0o600)
	if _, got, err := readCurve(file); err != nil || got != public {
		t.Errorf("got %s, %v, want %s", got, err, public)
	}
	write(seed, 0o644)
	if _, _, err := readCurve(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("open to others: got %v", err)
	}
	write([]byte("SUAA"), 0o600)
	if _, _, err := readCurve(file); err == nil || strings.Contains(err.Error(), "SUAA") {
		t.Errorf("no seed: got %v", err)
	}
	if _, _, err := readCurve(file + "x"); err == nil {
		t.Error("no file: got no error")
	}
}
