package nginx

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the configuration's text
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"text/template"
)

//go:embed nginx.conf.tmpl
var text string

// hostPattern matches a DNS name in lower case, in PCRE. (`$` would let a final
// newline pass.)
const hostPattern = `~^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\z`

// header is one that Traefik gets; an empty value takes it away.
type header struct{ Name, Value string }

// headers lists what Traefik is told of the client, and what outsiders might
// want to tell it.
func headers(publicPort uint16) []header {
	return []header{
		{"Host", "$host$host_port"},
		{"X-Forwarded-For", "$remote_addr"},
		{"X-Forwarded-Host", "$host$host_port"},
		{"X-Forwarded-Port", strconv.Itoa(int(publicPort))},
		{"X-Forwarded-Proto", "https"},
		{"X-Real-Ip", "$remote_addr"},
		{"Forwarded", `""`},
		{"X-Forwarded-Method", `""`},
		{"X-Forwarded-Prefix", `""`},
		{"X-Forwarded-Server", `""`},
		{"X-Forwarded-Tls-Client-Cert", `""`},
		{"X-Forwarded-Tls-Client-Cert-Info", `""`},
		{"X-Forwarded-Uri", `""`},
	}
}

// view is what the template sees: numbers, addresses, names that were
// validated, and constants.
type view struct {
	Domain, UpstreamName, User          string
	HTTPS, HTTP                         []netip.AddrPort
	Upstream                            netip.AddrPort
	RootFile, PublicSuffix, HostPattern string
	Protocols                           []string
	Headers                             []header
}

// Render returns the text of nginx.conf. It is the same for the same Config.
func Render(c Config) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("nginx configuration: %w", err)
	}
	v := view{
		Domain: c.Domain, UpstreamName: c.UpstreamName, User: c.User,
		HTTPS: c.HTTPS, HTTP: c.HTTP, Upstream: c.Upstream,
		RootFile: rootFile(c.Root), HostPattern: hostPattern,
		Protocols: []string{"proxy", "grpc"}, Headers: headers(c.PublicPort),
	}
	if c.PublicPort != 443 {
		v.PublicSuffix = fmt.Sprintf(":%d", c.PublicPort)
	}
	configuration, err := template.New(live).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("nginx configuration: %w", err)
	}
	var out bytes.Buffer
	if err := configuration.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("nginx configuration: %w", err)
	}
	return out.Bytes(), nil
}

// rootFile names the file of a root after its content: an older configuration
// keeps the root that it was tested with.
func rootFile(root []byte) string { return rootPrefix + digest(root)[:16] + ".pem" }

const rootPrefix = "root-"

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
