package cli

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/pkg/config"
)

// checkCA compares clock and configuration with the CA that the home has from a
// former run, if any.
func checkCA(h *home.Home, want config.Stack, now time.Time) error {
	folder := filepath.Join(h.Container("103"), "var", "lib", "phoenix", "step", "certs")
	return errors.Join(
		checkClock(certificate(filepath.Join(folder, "root_ca.crt")), now),
		checkDomain(certificate(filepath.Join(folder, "intermediate_ca.crt")), want.Domain),
	)
}

// checkClock refuses a clock that shows a time before the CA was made: every
// certificate would be not yet valid.
func checkClock(root *x509.Certificate, now time.Time) error {
	if root == nil || !now.Before(root.NotBefore) {
		return nil
	}
	return fault.Failuref("set the clock, for instance: timedatectl set-ntp true",
		"this machine's clock shows %s, before the CA of this home was made (%s)",
		now.UTC().Format(time.RFC3339), root.NotBefore.UTC().Format(time.RFC3339))
}

// checkDomain refuses a domain that the CA may not sign for: its intermediate
// certificate is constrained to the one that it was made for.
func checkDomain(intermediate *x509.Certificate, domain string) error {
	if intermediate == nil || len(intermediate.PermittedDNSDomains) == 0 {
		return nil
	}
	permits := func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) }
	if slices.ContainsFunc(intermediate.PermittedDNSDomains, permits) {
		return nil
	}
	return fault.Misusef(
		"keep the former domain, take another home for a second stack (--home), or begin anew (phoenix-cli down --purge)",
		"domain: the CA of this home signs for %s only, not for %s", strings.Join(intermediate.PermittedDNSDomains, ", "), domain)
}

// certificate reads a certificate; nil when there is none, or one that only the
// CA itself can say what is wrong with.
func certificate(path string) *x509.Certificate {
	raw, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}
