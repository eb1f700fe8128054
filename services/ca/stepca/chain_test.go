package stepca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestCheckTime(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	crt := func(name string, life time.Duration) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: begin, NotAfter: begin.Add(life)}
	}
	c := chain{root: crt("Root", 10*time.Hour), intermediate: crt("Intermediate", 5*time.Hour)}
	tests := map[string]struct {
		now  time.Time
		want string // empty: fine
	}{
		"at its begin":      {begin, ""},
		"before its begin":  {begin.Add(-time.Second), "the clock shows 2026-01-02T03:04:04Z, but \"Root\" begins only at 2026-01-02T03:04:05Z: set the clock right"},
		"at its end":        {begin.Add(5 * time.Hour), ""},
		"after its end":     {begin.Add(5*time.Hour + time.Second), "\"Intermediate\" ended at 2026-01-02T08:04:05Z"},
		"after root's, too": {begin.Add(11 * time.Hour), "\"Root\" ended"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			err := c.checkTime(tt.now)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		permitted, wanted string
		want              bool
	}{
		{"10.0.0.0/8", "10.1.0.0/16", true},
		{"10.0.0.0/8", "10.0.0.0/8", true},
		{"10.0.0.0/16", "10.0.0.0/8", false},
		{"10.0.0.0/8", "11.0.0.0/8", false},
		{"10.0.0.0/8", "10.1.2.3/32", true},
		{"0.0.0.0/0", "::/0", false},
		{"fd00::/8", "fd00:1::/32", true},
	}
	for _, tt := range tests {
		_, permitted, err := net.ParseCIDR(tt.permitted)
		if err != nil {
			t.Fatal(err)
		}
		if got := covers(permitted, netip.MustParsePrefix(tt.wanted)); got != tt.want {
			t.Errorf("%s covers %s: %v", tt.permitted, tt.wanted, got)
		}
	}
}

func TestWithin(t *testing.T) {
	tests := []struct {
		domain, permitted string
		want              bool
	}{
		{"a.example", "a.example", true},
		{"b.a.example", "a.example", true},
		{"ba.example", "a.example", false},
		{"example", "a.example", false},
	}
	for _, tt := range tests {
		if got := within(tt.domain, tt.permitted); got != tt.want {
			t.Errorf("%s within %s: %v", tt.domain, tt.permitted, got)
		}
	}
}
