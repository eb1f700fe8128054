package nginx_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/pkg/unit/unittest"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRender(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*nginx.Config)
	}{
		{"local", func(*nginx.Config) {}},
		{"public", func(c *nginx.Config) {
			c.HTTPS = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:443"), netip.MustParseAddrPort("[::]:443")}
			c.HTTP = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:80"), netip.MustParseAddrPort("[::]:80")}
			c.PublicPort = 443
			c.User = "root"
		}},
		{"without-http", func(c *nginx.Config) { c.HTTP = nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := example(t)
			row.change(&c)
			got, err := nginx.Render(c)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", row.name+".conf")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs; look at it with -update and git diff", golden)
			}
		})
	}
}

// TestNginxAcceptsTheLongestNames has nginx judge what fits no hash bucket of
// its defaults.
func TestNginxAcceptsTheLongestNames(t *testing.T) {
	label := strings.Repeat("a", 63)
	c := example(t)
	c.Domain = strings.Join([]string{label, label, label, strings.Repeat("b", 48)}, ".")
	c.UpstreamName = "p." + c.Domain
	server, err := nginx.NewServer(t.TempDir(), testenv.Nginx(t), "101-nginx", unittest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Apply(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// FuzzRender puts anything where text comes from outside: it is refused, or it
// adds nothing to the structure of the configuration.
func FuzzRender(f *testing.F) {
	c := example(f)
	reference, err := nginx.Render(c)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		domain, "a.b", "a;b", "a}b", "a{b", "a b", "a\nb", "a\"b", "a'b", "a`b", "$host", "${host}", "a\\b", "a#b", "{{.Root}}", "*.a", "../a", "A.b", "",
	} {
		f.Add(s, "proxy."+s, s)
		f.Add(domain, s+"."+domain, "")
	}
	f.Fuzz(func(t *testing.T, dom, upstream, user string) {
		c.Domain, c.UpstreamName, c.User = dom, upstream, user
		got, err := nginx.Render(c)
		if err != nil {
			return
		}
		if user == "root" {
			got = bytes.Replace(got, []byte("\nuser root;"), nil, 1)
		}
		for _, char := range "{};\n\"'#$\\" {
			if n, want := bytes.Count(got, []byte(string(char))), bytes.Count(reference, []byte(string(char))); n != want {
				t.Errorf("%d times %q, want %d, with %q, %q, %q", n, char, want, dom, upstream, user)
			}
		}
	})
}
