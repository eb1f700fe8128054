package main

import (
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestCAReady(t *testing.T) {
	root, fingerprint := rootCertificate(t)
	good := events.CAReady{URL: "https://ca.phoenix.localhost:9000", Root: root, RootFingerprint: fingerprint}
	tests := []struct {
		name    string
		change  func(*events.CAReady)
		invalid bool
	}{
		{"good", func(*events.CAReady) {}, false},
		{"no TLS", func(c *events.CAReady) { c.URL = "http://ca.phoenix.localhost:9000" }, true},
		{"no host", func(c *events.CAReady) { c.URL = "https://:9000" }, true},
		{"no URL", func(c *events.CAReady) { c.URL = "https://%zz" }, true},
		{"no root", func(c *events.CAReady) { c.Root = "" }, true},
		{"two roots", func(c *events.CAReady) { c.Root += c.Root }, true},
		{"another fingerprint", func(c *events.CAReady) { c.RootFingerprint = "00" }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk()
			d.begin(t)
			payload := good
			tt.change(&payload)
			wantInvalid(t, tt.name, d.caReady(t.Context(), heard(7, payload)), tt.invalid)
			if recorded := d.state(t).CA.Sequence == 7; recorded == tt.invalid {
				t.Errorf("recorded: %t", recorded)
			}
		})
	}
}
