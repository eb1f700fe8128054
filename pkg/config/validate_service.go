package config

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

// MaxServices is the most services that a stack may have.
const MaxServices = 10_000

func (c *checker) services(s Stack) {
	if len(s.Services) > MaxServices {
		c.add("services", "more than %d services", MaxServices)
		return
	}
	names, hosts := map[string]int{}, map[string]string{}
	for i, svc := range s.Services {
		at := fmt.Sprintf("services[%d]", i)
		c.err(at+".name", name.Service(svc.Name))
		if other, taken := names[svc.Name]; taken {
			c.add(at+".name", "%q is also the name of services[%d]", svc.Name, other)
			continue
		}
		names[svc.Name] = i
		c.hosts(at, svc, s.Domain, hosts)
		c.backend(at, svc, s)
		c.issuance(at, svc)
	}
}

// hosts checks the hosts of one service and that no former one has them.
func (c *checker) hosts(at string, svc Service, domain string, taken map[string]string) {
	for i, h := range svc.HostsIn(domain) {
		path := at + ".name"
		if len(svc.Hosts) > 0 {
			path = fmt.Sprintf("%s.hosts[%d]", at, i)
		}
		if err := name.Host(h, domain); err != nil {
			c.add(path, "%v", err)
			continue
		}
		if name.Reserved(h, domain) {
			c.add(path, "%s belongs to the stack itself", h)
		}
		if owner, ok := taken[h]; ok {
			c.add(path, "%s is already a host of %s", h, owner)
			continue
		}
		taken[h] = svc.Name
	}
}

// backend checks where a service listens. Names are judged only by their form:
// looking them up is the proxy's part.
func (c *checker) backend(at string, svc Service, s Stack) {
	path := at + ".url"
	if svc.URL == "" && svc.Backend != nil {
		path = at + ".backend"
	}
	b, err := name.ParseBackend(svc.URL, svc.Backend.event())
	if err != nil {
		c.add(path, "%v", err)
		return
	}
	c.err(path, policy(s).CheckLiteral(b))
	if b.Scheme == "http" && (svc.CA != "" || svc.Fingerprint != "" || svc.ServerName != "") {
		c.add(path, "ca, fingerprint and server_name verify an https backend; this one is http")
	}
}

// policy returns what a backend of the stack may be: loopback on one machine
// only, and never one of the stack's own parts.
func policy(s Stack) name.Policy {
	p := name.Policy{AllowLoopback: s.Driver == DriverLocal}
	for _, id := range []int{100, 101, 102, 103} {
		if a := s.Address(id); a.IsValid() {
			p.Denied = append(p.Denied, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return p
}

func (c *checker) issuance(at string, svc Service) {
	c.err(at+".issuer", svc.Issuer.Check())
	if svc.CA != "" {
		c.err(at+".ca", certificates(svc.CA))
	}
	if svc.Fingerprint != "" {
		raw, err := hex.DecodeString(strings.ReplaceAll(svc.Fingerprint, ":", ""))
		if err != nil || len(raw) != 32 {
			c.add(at+".fingerprint", "is not a SHA-256 in hexadecimal, 64 digits")
		}
	}
	if svc.ServerName != "" {
		c.serverName(at+".server_name", svc.ServerName)
	}
}

func (c *checker) serverName(path, s string) {
	if _, err := netip.ParseAddr(s); err == nil {
		return
	}
	if err := name.Domain(s); err != nil {
		c.add(path, "%.80q is neither a DNS name in lower case nor an IP address", s)
	}
}

// certificates checks that text is PEM certificates and nothing else.
func certificates(text string) error {
	rest, n := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("holds a %.40q, not a certificate", block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("certificate %d does not parse: %w", n+1, err)
		}
		n++
	}
	if n == 0 || strings.TrimSpace(string(rest)) != "" {
		return errors.New("is not PEM certificates (-----BEGIN CERTIFICATE-----)")
	}
	return nil
}
