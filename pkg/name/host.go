package name

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

const (
	maxLabel = 63
	maxHost  = 253
)

// Service returns an error unless s may name a service: one DNS label in lower
// case.
func Service(s string) error {
	if s == "" {
		return errors.New("service name is empty")
	}
	if err := label(s); err != nil {
		return fmt.Errorf("service name %s %w", quote(s), err)
	}
	return nil
}

// Domain returns an error unless d may be a stack's domain: a DNS name in lower
// case without a trailing dot.
func Domain(d string) error {
	if err := dnsName(d); err != nil {
		return fmt.Errorf("domain %s %w", quote(d), err)
	}
	return nil
}

// Host returns an error unless h may be a host of a service: a DNS name in lower
// case, below the domain, without wildcard and without a trailing dot.
func Host(h, domain string) error {
	if err := dnsName(h); err != nil {
		return fmt.Errorf("host %s %w", quote(h), err)
	}
	if !strings.HasSuffix(h, "."+domain) {
		return fmt.Errorf("host %s is not below the domain %s", quote(h), quote(domain))
	}
	return nil
}

// Own lists the labels of the stack's own hosts.
func Own() []string { return []string{"gateway", "proxy", "ca", "bus", "probe"} }

// Reserved reports whether h belongs to the stack itself, so that no service can
// claim it: the bare domain, the stack's own hosts, and everything below them.
func Reserved(h, domain string) bool {
	if h == domain {
		return true
	}
	rest, below := strings.CutSuffix(h, "."+domain)
	if !below {
		return false
	}
	return slices.Contains(Own(), rest[strings.LastIndexByte(rest, '.')+1:])
}

// dnsName checks a whole name. Its errors continue a sentence that begins with
// the name.
func dnsName(s string) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > maxHost:
		return fmt.Errorf("is longer than %d bytes", maxHost)
	case strings.HasSuffix(s, "."):
		return errors.New("ends with a dot")
	case strings.Contains(s, "*"):
		return errors.New("has a wildcard")
	}
	for l := range strings.SplitSeq(s, ".") {
		if err := label(l); err != nil {
			return err
		}
	}
	return nil
}

// label checks one label of a name.
func label(l string) error {
	if l == "" {
		return errors.New("has an empty label")
	}
	if len(l) > maxLabel {
		return fmt.Errorf("has a label longer than %d bytes", maxLabel)
	}
	for _, r := range l {
		if !labelRune(r) {
			return fmt.Errorf("has %q: only a-z, 0-9 and inner hyphens are allowed", r)
		}
	}
	if l[0] == '-' || l[len(l)-1] == '-' {
		return errors.New("has a label that begins or ends with a hyphen")
	}
	if strings.HasPrefix(l, "xn--") {
		return punycode(l)
	}
	return nil
}

func labelRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-'
}

// punycode refuses what is no encoding, or not the one encoding, of an
// internationalised label.
func punycode(l string) error {
	decoded, err := idna.Registration.ToUnicode(l)
	if err != nil {
		return errors.New("has a label that is not valid punycode")
	}
	again, err := idna.Registration.ToASCII(decoded)
	if err != nil || again != l {
		return errors.New("has a label that is not valid punycode")
	}
	return nil
}
