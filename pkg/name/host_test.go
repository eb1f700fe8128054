package name_test

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

const domain = "phoenix.localhost"

func TestService(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, s := range []string{"a", "7", "grafana", "dr-phoenix", "a--b", "3cx", long, "xn--bcher-kva"} {
		if err := name.Service(s); err != nil {
			t.Errorf("Service(%q) = %v, want nil", s, err)
		}
	}
	for _, s := range []string{
		"", "-", "-a", "a-", "A", "Grafana", "a.b", "a_b", "a b", "a/b", "../a", "a\n", "a\x00", "{{a}}", "a'", `a"`,
		"a;b", "a`b", "a}", "*", "ä", long + "a", "xn--", "xn--a", "xn--99999999", "xn--grafana",
	} {
		if err := name.Service(s); err == nil {
			t.Errorf("Service(%q) = nil, want an error", s)
		}
	}
}

func TestHost(t *testing.T) {
	deep := strings.Repeat("a.", 117) + domain // 251 bytes
	for _, h := range []string{
		"grafana." + domain, "a.b.c." + domain, "7." + domain, "xn--bcher-kva." + domain, "my--app." + domain, deep,
	} {
		if err := name.Host(h, domain); err != nil {
			t.Errorf("Host(%q) = %v, want nil", h, err)
		}
	}
	for _, h := range []string{
		"", domain, "." + domain, "grafana", "grafana.example.com", "grafana" + domain, "evil-" + domain,
		"grafana." + domain + ".", "grafana." + domain + ".example.com", "*." + domain, "a.*." + domain,
		"Grafana." + domain, "a..b." + domain, "-a." + domain, "a-." + domain, "a b." + domain, "a\n." + domain,
		`a".` + domain, "a'." + domain, "a`." + domain, "a;." + domain, "{{a}}." + domain, "a}." + domain,
		"a/../b." + domain, "a_b." + domain, "ä." + domain, "a\xff." + domain, "a:443." + domain, "a|b." + domain,
		"xn--zzzzzzz99." + domain, "xn--a-." + domain, strings.Repeat("a", 64) + "." + domain, "aa" + deep + "a",
		strings.Repeat("a.", 130) + domain,
	} {
		if err := name.Host(h, domain); err == nil {
			t.Errorf("Host(%q) = nil, want an error", h)
		}
	}
}

func TestDomain(t *testing.T) {
	for _, d := range []string{"phoenix.localhost", "lan", "internal.example.test"} {
		if err := name.Domain(d); err != nil {
			t.Errorf("Domain(%q) = %v, want nil", d, err)
		}
	}
	for _, d := range []string{"", ".", "lan.", "Lan", "*.lan", "a b"} {
		if err := name.Domain(d); err == nil {
			t.Errorf("Domain(%q) = nil, want an error", d)
		}
	}
}

func TestReserved(t *testing.T) {
	for h, want := range map[string]bool{
		domain: true, "gateway." + domain: true, "proxy." + domain: true, "ca." + domain: true,
		"bus." + domain: true, "probe." + domain: true, "x.ca." + domain: true,
		"grafana." + domain: false, "my-ca." + domain: false, "ca.grafana." + domain: false, "ca.example.com": false,
	} {
		if got := name.Reserved(h, domain); got != want {
			t.Errorf("Reserved(%q) = %t, want %t", h, got, want)
		}
	}
}

func TestErrorsAreShortAndQuoted(t *testing.T) {
	hostile := "a\n\x1b[31m" + strings.Repeat("ü", 100_000)
	_, fromURL := name.ParseBackend("http://"+hostile, nil)
	for _, err := range []error{name.Service(hostile), name.Host(hostile, domain), name.Domain(hostile), fromURL} {
		if err == nil {
			t.Fatal("hostile input passed")
		}
		if msg := err.Error(); len(msg) > 400 || strings.ContainsAny(msg, "\n\x1b") {
			t.Errorf("error of %d bytes, or with raw control characters: %.200q", len(msg), msg)
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"grafana." + domain, "../x", "{{.}}", "xn--bcher-kva." + domain, "a`." + domain} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name.Service(s) == nil && name.Host(s+"."+domain, domain) != nil {
			t.Errorf("service %q is valid, its default host is not", s)
		}
		if name.Host(s, domain) != nil {
			return
		}
		if len(s) > 253 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || strings.Contains(s, "..") {
			t.Errorf("Host accepts %q", s)
		}
		if !strings.HasSuffix(s, "."+domain) {
			t.Errorf("Host accepts %q outside the domain", s)
		}
	})
}
