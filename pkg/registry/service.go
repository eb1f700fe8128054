package registry

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// The bounds of a registration. They keep the entry of a name, which holds up to
// maxRecords of them, within one message of the bus.
const (
	maxHosts = 32
	maxCA    = 16 << 10 // bytes of PEM
)

// Rules are what a registration is judged by, besides the other ones. Whoever
// must agree uses the same.
type Rules struct {
	Domain   string
	Backends name.Policy
}

// Service is a registration that passed the rules, with everything filled in.
type Service struct {
	Name    string         `json:"name"`
	Hosts   []string       `json:"hosts"`
	Backend events.Backend `json:"backend"`
	Issuer  events.Issuer  `json:"issuer"`
	// CA, Fingerprint and ServerName say how an https backend is verified, as in
	// [events.ServiceRegistered].
	CA          string `json:"ca,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	ServerName  string `json:"server_name,omitempty"`

	Owner    events.Identity `json:"owner"`
	Sequence uint64          `json:"sequence"` // of the message
}

// Parse judges a registration by itself and fills in what was left out. Its
// error is ErrInvalid.
func (r Rules) Parse(meta events.Meta, m events.ServiceRegistered) (Service, error) {
	s := Service{Name: m.Name, Owner: meta.Speaker, Sequence: meta.Sequence}
	if err := name.Service(m.Name); err != nil {
		return Service{}, invalid(err)
	}
	var hostErr, backendErr, issuerErr, trustErr error
	s.Hosts, hostErr = r.hosts(m)
	s.Backend, backendErr = r.backend(m)
	s.Issuer, issuerErr = issuer(m.Issuer)
	if backendErr == nil {
		trustErr = s.trust(m)
	}
	if err := errors.Join(hostErr, backendErr, issuerErr, trustErr); err != nil {
		return Service{}, invalid(fmt.Errorf("service %q: %w", m.Name, oneLine(err)))
	}
	return s, nil
}

// hosts returns the hosts in a fixed order, each once.
func (r Rules) hosts(m events.ServiceRegistered) ([]string, error) {
	hosts := slices.Clone(m.Hosts)
	if len(hosts) == 0 {
		hosts = []string{m.Name + "." + r.Domain}
	}
	if len(hosts) > maxHosts {
		return nil, fmt.Errorf("%d hosts are more than %d", len(hosts), maxHosts)
	}
	for _, h := range hosts {
		if err := name.Host(h, r.Domain); err != nil {
			return nil, err
		}
		if name.Reserved(h, r.Domain) {
			return nil, fmt.Errorf("host %q is the stack's own", h)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

func (r Rules) backend(m events.ServiceRegistered) (events.Backend, error) {
	b, err := name.ParseBackend(m.URL, m.Backend)
	if err != nil {
		return events.Backend{}, err
	}
	return b, r.Backends.CheckLiteral(b)
}

func issuer(i events.Issuer) (events.Issuer, error) {
	switch i {
	case "", events.IssuerACME:
		return events.IssuerACME, nil
	default:
		return "", fmt.Errorf("issuer %.80q is not supported: use %q", string(i), events.IssuerACME)
	}
}

// trust fills in how the backend is verified.
func (s *Service) trust(m events.ServiceRegistered) error {
	if m.CA == "" && m.Fingerprint == "" && m.ServerName == "" {
		return nil
	}
	if s.Backend.Scheme != "https" {
		return errors.New("ca, fingerprint and server_name are for https backends alone")
	}
	if m.CA != "" && m.Fingerprint != "" {
		return errors.New("ca and fingerprint are both given: one of them verifies the backend")
	}
	var err error
	if s.CA, err = bundle(m.CA); err != nil {
		return err
	}
	if s.Fingerprint, err = fingerprint(m.Fingerprint); err != nil {
		return err
	}
	s.ServerName, err = serverName(m.ServerName)
	return err
}

// bundle returns the certificates of a PEM text, and nothing else that is in it.
func bundle(text string) (string, error) {
	if len(text) > maxCA {
		return "", fmt.Errorf("ca of %d bytes is larger than %d", len(text), maxCA)
	}
	var out strings.Builder
	rest := []byte(text)
	for strings.TrimSpace(string(rest)) != "" {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return "", errors.New("ca has something besides PEM certificates")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", errors.New("ca has a certificate that can't be read")
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	return out.String(), nil
}

// fingerprint returns a SHA-256 fingerprint in lower case without colons.
func fingerprint(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	plain := strings.ToLower(strings.ReplaceAll(s, ":", ""))
	if raw, err := hex.DecodeString(plain); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("fingerprint %.80q is not a SHA-256 in hexadecimal", s)
	}
	return plain, nil
}

func serverName(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	lower := strings.ToLower(s)
	if err := name.Domain(lower); err != nil {
		return "", fmt.Errorf("server_name %.80q is neither a DNS name nor an IP address", s)
	}
	return lower, nil
}

// oneLine joins the lines of several errors by semicolons.
func oneLine(err error) error {
	return lineError{err}
}

type lineError struct{ error }

func (e lineError) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }
func (e lineError) Unwrap() error { return e.error }
