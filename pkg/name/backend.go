package name

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// maxURL is the longest backend URL that is looked at, in bytes.
const maxURL = 2048

// ParseBackend returns where a service listens, from a URL, from its parts, or
// from both when they agree. The result is canonical: the scheme http or https,
// the address an IP address or a DNS name in lower case, the port set. Whether
// the address may be reached is another question, see [Policy].
func ParseBackend(rawURL string, b *events.Backend) (events.Backend, error) {
	switch {
	case rawURL == "" && b == nil:
		return events.Backend{}, errors.New("neither a url nor a backend is given")
	case rawURL == "":
		return canonical(b.Scheme, b.Address, b.Port)
	}
	fromURL, err := parseURL(rawURL)
	if err != nil || b == nil {
		return fromURL, err
	}
	parts, err := canonical(b.Scheme, b.Address, b.Port)
	if err != nil {
		return events.Backend{}, err
	}
	if parts != fromURL {
		return events.Backend{}, fmt.Errorf("url %s and backend %s disagree", quote(rawURL), quote(URL(parts)))
	}
	return fromURL, nil
}

// URL renders a backend as ParseBackend reads it.
func URL(b events.Backend) string {
	return b.Scheme + "://" + net.JoinHostPort(b.Address, strconv.Itoa(b.Port))
}

func parseURL(raw string) (events.Backend, error) {
	if len(raw) > maxURL {
		return events.Backend{}, fmt.Errorf("url %s is longer than %d bytes", quote(raw), maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return events.Backend{}, fmt.Errorf("url %s is not valid", quote(raw))
	}
	if err := onlyOrigin(u); err != nil {
		return events.Backend{}, fmt.Errorf("url %s %w", quote(raw), err)
	}
	port := 0
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return events.Backend{}, fmt.Errorf("url %s has a port outside 1 to 65535", quote(raw))
		}
		port = int(n)
	}
	return canonical(u.Scheme, u.Hostname(), port)
}

// onlyOrigin refuses every part of a URL beyond scheme, host and port.
func onlyOrigin(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("is neither http nor https")
	case u.Opaque != "" || u.Host == "":
		return errors.New("has no host")
	case u.User != nil:
		return errors.New("has user information")
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("has a query")
	case u.Fragment != "" || u.RawFragment != "":
		return errors.New("has a fragment")
	case u.Path != "" && u.Path != "/":
		return errors.New("has a path: a service is routed as a whole")
	case strings.HasSuffix(u.Host, ":"):
		return errors.New("has a colon without a port")
	}
	return nil
}

func canonical(scheme, address string, port int) (events.Backend, error) {
	def := map[string]int{"http": 80, "https": 443}[scheme]
	switch {
	case def == 0:
		return events.Backend{}, fmt.Errorf("backend scheme %s is neither http nor https", quote(scheme))
	case port == 0:
		port = def
	case port < 0 || port > 65535:
		return events.Backend{}, fmt.Errorf("backend port %d is outside 1 to 65535", port)
	}
	address, err := canonicalAddress(address)
	if err != nil {
		return events.Backend{}, err
	}
	return events.Backend{Scheme: scheme, Address: address, Port: port}, nil
}

// canonicalAddress accepts an IP address or a DNS name that no resolver could
// take for an address in an unusual spelling (0x7f.1, 2130706433).
func canonicalAddress(s string) (string, error) {
	if strings.Contains(s, ":") {
		ip, err := netip.ParseAddr(s)
		if err != nil || ip.Zone() != "" {
			return "", fmt.Errorf("backend address %s is not an IP address", quote(s))
		}
		return ip.String(), nil
	}
	host := strings.ToLower(s)
	if err := dnsName(host); err != nil {
		return "", fmt.Errorf("backend address %s %w", quote(s), err)
	}
	if !endsInNumber(host) {
		return host, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", fmt.Errorf("backend address %s is neither an IP address nor a DNS name", quote(s))
	}
	return ip.String(), nil
}

// endsInNumber reports whether some resolver would read the name as an address:
// its last label is a decimal or hexadecimal number.
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
