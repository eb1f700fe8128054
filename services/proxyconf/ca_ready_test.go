package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
)

func TestCheckCA(t *testing.T) {
	ca := testca.New(t)
	good := func() events.CAReady {
		sum := sha256.Sum256(ca.Certificate.Raw)
		return events.CAReady{
			ACMEDirectory: "https://127.0.1.103:9000/acme/acme/directory", Root: string(ca.Root()),
			RootFingerprint: hex.EncodeToString(sum[:]), Duration: 24 * 3600,
		}
	}
	if err := checkCA(good()); err != nil {
		t.Errorf("good: %v", err)
	}
	leaf, key := ca.Issue(t, time.Hour, "a.test")
	tests := map[string]struct {
		change func(*events.CAReady)
		err    string
	}{
		"no directory":      {func(c *events.CAReady) { c.ACMEDirectory = "" }, "acme_directory"},
		"plain http":        {func(c *events.CAReady) { c.ACMEDirectory = "http://ca/" }, "acme_directory"},
		"user in directory": {func(c *events.CAReady) { c.ACMEDirectory = "https://a@ca/" }, "acme_directory"},
		"short":             {func(c *events.CAReady) { c.Duration = 3599 }, "duration"},
		"overflow":          {func(c *events.CAReady) { c.Duration = 1 << 62 }, "duration"},
		"no root":           {func(c *events.CAReady) { c.Root = "" }, "one PEM certificate"},
		"two roots":         {func(c *events.CAReady) { c.Root += c.Root }, "one PEM certificate"},
		"a key":             {func(c *events.CAReady) { c.Root = string(key) }, "one PEM certificate"},
		"nonsense": {func(c *events.CAReady) {
			c.Root = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
		}, "can't be read"},
		"a leaf":            {func(c *events.CAReady) { c.Root = string(leaf) }, "not the certificate of a CA"},
		"wrong fingerprint": {func(c *events.CAReady) { c.RootFingerprint = strings.Repeat("0", 64) }, "not that of the root"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			c := good()
			tt.change(&c)
			if err := checkCA(c); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}
