package nginx_test

import (
	"encoding/pem"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

const domain = "phoenix.localhost"

// example is a configuration whose text is always the same.
func example(tb testing.TB) nginx.Config {
	tb.Helper()
	root, err := os.ReadFile("testdata/root.pem")
	if err != nil {
		tb.Fatal(err)
	}
	return nginx.Config{
		Domain: domain,
		HTTPS: []netip.AddrPort{
			netip.MustParseAddrPort("127.15.1.1:8443"), netip.MustParseAddrPort("127.15.1.2:8443"),
		},
		HTTP:         []netip.AddrPort{netip.MustParseAddrPort("127.15.1.1:8080")},
		PublicPort:   8443,
		Upstream:     netip.MustParseAddrPort("127.15.1.3:8443"),
		UpstreamName: "proxy." + domain,
		Root:         root,
	}
}

func TestValidate(t *testing.T) {
	block, _ := pem.Decode(nginxtest.NewCA(t).Pair(t, "a."+domain).Chain)
	leaf := pem.EncodeToMemory(block)
	for _, row := range []struct {
		name   string
		change func(*nginx.Config)
		want   string // part of the error; empty: none
	}{
		{"good", func(*nginx.Config) {}, ""},
		{"IPv6", func(c *nginx.Config) { c.Upstream = netip.MustParseAddrPort("[::1]:8443") }, ""},
		{"no HTTP", func(c *nginx.Config) { c.HTTP = nil }, ""},
		{"no HTTPS", func(c *nginx.Config) { c.HTTPS = nil }, "no address"},
		{"no port", func(c *nginx.Config) { c.PublicPort = 0 }, "public port"},
		{"no upstream", func(c *nginx.Config) { c.Upstream = netip.AddrPort{} }, "upstream"},
		{"upstream without port", func(c *nginx.Config) { c.Upstream = netip.MustParseAddrPort("127.0.0.1:0") }, "upstream"},
		{"zone", func(c *nginx.Config) { c.Upstream = netip.MustParseAddrPort("[fe80::1%eth0;}]:1") }, "upstream"},
		{"mapped", func(c *nginx.Config) { c.HTTPS[0] = netip.MustParseAddrPort("[::ffff:127.0.0.1]:1") }, "listen"},
		{"twice", func(c *nginx.Config) { c.HTTPS[1] = c.HTTPS[0] }, "given twice"},
		{"HTTPS and HTTP on one address", func(c *nginx.Config) { c.HTTP[0] = c.HTTPS[0] }, "given twice"},
		{"upstream of another domain", func(c *nginx.Config) { c.UpstreamName = "proxy.example.com" }, "not below"},
		{"directive as upstream name", func(c *nginx.Config) { c.UpstreamName = "a;}." + domain }, "upstream"},
		{"directive as domain", func(c *nginx.Config) { c.Domain = "a; return 418" }, "domain"},
		{"variable as domain", func(c *nginx.Config) { c.Domain = "$host" }, "domain"},
		{"newline in the domain", func(c *nginx.Config) { c.Domain = domain + "\n" }, "domain"},
		{"another user", func(c *nginx.Config) { c.User = "root; load_module x" }, "user"},
		{"no root", func(c *nginx.Config) { c.Root = nil }, "root"},
		{"root is text", func(c *nginx.Config) { c.Root = []byte("-----BEGIN CERTIFICATE-----\n") }, "root"},
		{"two roots", func(c *nginx.Config) { c.Root = append(c.Root, c.Root...) }, "root"},
		{"a leaf as root", func(c *nginx.Config) { c.Root = leaf }, "not the certificate of a CA"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := example(t)
			row.change(&c)
			err := c.Validate()
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
			if _, rendered := nginx.Render(c); (rendered == nil) != (err == nil) {
				t.Errorf("Validate says %v, Render %v", err, rendered)
			}
		})
	}
}
