package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/service"
)

func goodConfig() service.Config {
	return service.Config{
		Stack: "home", Domain: domain, Address: "10.0.0.103", State: "/var/lib/phoenix",
		Bus: service.BusConfig{URL: "tls://10.0.0.100:4222"},
		CA: &service.CAConfig{
			Listen: "10.0.0.103:9000", Names: []string{"ca." + domain, "10.0.0.103"}, Domains: []string{domain},
			IPRanges: []string{"10.0.0.0/24"}, Duration: time.Hour, Denied: []string{"10.0.0.100"},
		},
	}
}

func TestSiteOf(t *testing.T) {
	s, err := siteOf(goodConfig())
	if err != nil {
		t.Fatal(err)
	}
	if s.authority.Name != "Phoenix home" || s.authority.Folder != "/var/lib/phoenix/step" || s.authority.Duration != time.Hour {
		t.Errorf("authority %+v", s.authority)
	}
	if s.claims.Bus != netip.MustParseAddr("10.0.0.100") || s.claims.Domain != domain || s.registry.Domain != domain {
		t.Errorf("rules %+v, %+v", s.claims, s.registry)
	}
}

func TestSiteOfBusByName(t *testing.T) {
	c := goodConfig()
	c.Bus.URL = "tls://bus.example.com:4222"
	s, err := siteOf(c)
	if err != nil || s.claims.Bus.IsValid() {
		t.Errorf("address %s, %v", s.claims.Bus, err)
	}
}

func TestSiteOfReportsAll(t *testing.T) {
	c := goodConfig()
	c.Domain, c.State = "-", "here"
	c.CA.IPRanges, c.CA.Denied, c.CA.Listen, c.CA.Names = []string{"10.0.0.0"}, []string{"x"}, "9000", nil
	_, err := siteOf(c)
	for _, want := range []string{"domain", "ca.ip_ranges", "ca.denied", "want an absolute path", "not host:port", "no name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}
