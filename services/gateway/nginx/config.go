package nginx

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

// Config is all that nginx's configuration depends on.
type Config struct {
	// Domain is the stack's: only hosts below it are served.
	Domain string
	// HTTPS lists the addresses that serve, HTTP those that redirect.
	HTTPS, HTTP []netip.AddrPort
	// PublicPort is the HTTPS port as clients see it.
	PublicPort uint16
	// Upstream is Traefik's HTTPS entry point, and UpstreamName the name that
	// its certificate must carry.
	Upstream     netip.AddrPort
	UpstreamName string
	// Root is the PEM certificate that Traefik's certificate must lead to.
	Root []byte
	// User is whom the workers run as; empty leaves them who the master is,
	// which is right for everybody but root.
	User string
}

// Validate reports every fault at once. What passes can't change the meaning of
// the text that it is put into.
func (c Config) Validate() error {
	errs := []error{name.Domain(c.Domain), validRoot(c.Root)}
	if err := name.Host(c.UpstreamName, c.Domain); err != nil {
		errs = append(errs, fmt.Errorf("upstream: %w", err))
	}
	if len(c.HTTPS) == 0 {
		errs = append(errs, errors.New("no address to serve HTTPS on"))
	}
	if c.PublicPort == 0 {
		errs = append(errs, errors.New("public port is missing"))
	}
	if c.User != "" && c.User != "root" {
		errs = append(errs, fmt.Errorf("user %.80q: want root or nothing", c.User))
	}
	errs = append(errs, validAddress("upstream", c.Upstream))
	seen := map[netip.AddrPort]bool{}
	for _, a := range slices.Concat(c.HTTPS, c.HTTP) {
		errs = append(errs, validAddress("listen", a))
		if seen[a] {
			errs = append(errs, fmt.Errorf("listen %s: given twice", a))
		}
		seen[a] = true
	}
	return errors.Join(errs...)
}

// validAddress refuses what netip accepts and nginx or we don't: a zone is free
// text, and a mapped address is a second spelling of another.
func validAddress(what string, a netip.AddrPort) error {
	if !a.IsValid() || a.Port() == 0 || a.Addr().Zone() != "" || a.Addr().Is4In6() {
		return fmt.Errorf("%s: %.80q is not an IP address with a port", what, a.String())
	}
	return nil
}

func validRoot(root []byte) error {
	block, rest := pem.Decode(root)
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("root: want one certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	if !cert.IsCA {
		return errors.New("root: it is not the certificate of a CA")
	}
	return nil
}
