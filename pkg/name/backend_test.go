package name_test

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

func TestParseBackend(t *testing.T) {
	tests := map[string]struct {
		url     string
		backend *events.Backend
		want    events.Backend
		err     string // part of the error
	}{
		"url with port":          {url: "http://127.0.0.1:3000", want: events.Backend{Scheme: "http", Address: "127.0.0.1", Port: 3000}},
		"url with slash":         {url: "https://10.0.0.5:9443/", want: events.Backend{Scheme: "https", Address: "10.0.0.5", Port: 9443}},
		"default port of http":   {url: "http://10.0.0.5", want: events.Backend{Scheme: "http", Address: "10.0.0.5", Port: 80}},
		"default port of https":  {url: "HTTPS://NAS.Lan", want: events.Backend{Scheme: "https", Address: "nas.lan", Port: 443}},
		"address of version 6":   {url: "http://[FD00::0:5]:80", want: events.Backend{Scheme: "http", Address: "fd00::5", Port: 80}},
		"name that has a digit":  {url: "http://3cx:5000", want: events.Backend{Scheme: "http", Address: "3cx", Port: 5000}},
		"parts":                  {backend: &events.Backend{Scheme: "http", Address: "10.0.0.5", Port: 1}, want: events.Backend{Scheme: "http", Address: "10.0.0.5", Port: 1}},
		"parts without port":     {backend: &events.Backend{Scheme: "https", Address: "NAS"}, want: events.Backend{Scheme: "https", Address: "nas", Port: 443}},
		"both agree":             {url: "http://nas", backend: &events.Backend{Scheme: "http", Address: "NAS", Port: 80}, want: events.Backend{Scheme: "http", Address: "nas", Port: 80}},
		"neither":                {err: "neither"},
		"ports disagree":         {url: "http://nas:81", backend: &events.Backend{Scheme: "http", Address: "nas", Port: 80}, err: "disagree"},
		"schemes disagree":       {url: "https://nas:80", backend: &events.Backend{Scheme: "http", Address: "nas", Port: 80}, err: "disagree"},
		"bad parts beside url":   {url: "http://nas", backend: &events.Backend{Scheme: "ftp", Address: "nas"}, err: "neither http nor https"},
		"file":                   {url: "file:///etc/passwd", err: "neither http nor https"},
		"file with host":         {url: "file://10.0.0.5/etc", err: "neither http nor https"},
		"javascript":             {url: "javascript:alert(1)", err: "neither http nor https"},
		"h2c":                    {url: "h2c://10.0.0.5", err: "neither http nor https"},
		"no scheme":              {url: "10.0.0.5:3000", err: "not valid"},
		"name without scheme":    {url: "nas:3000", err: "neither http nor https"},
		"opaque":                 {url: "http:10.0.0.5", err: "no host"},
		"no host":                {url: "http://", err: "no host"},
		"port alone":             {url: "http://:80", err: "empty"},
		"user":                   {url: "http://me:secret@10.0.0.5", err: "user information"},
		"path":                   {url: "http://10.0.0.5/grafana", err: "has a path"},
		"query":                  {url: "http://10.0.0.5?a=b", err: "has a query"},
		"empty query":            {url: "http://10.0.0.5?", err: "has a query"},
		"fragment":               {url: "http://10.0.0.5#x", err: "fragment"},
		"port zero":              {url: "http://10.0.0.5:0", err: "port"},
		"port too large":         {url: "http://10.0.0.5:65536", err: "port"},
		"port much too large":    {url: "http://10.0.0.5:99999999999999999999", err: "port"},
		"port of words":          {url: "http://10.0.0.5:http", err: "not valid"},
		"colon without port":     {url: "http://10.0.0.5:", err: "colon"},
		"negative port":          {backend: &events.Backend{Scheme: "http", Address: "nas", Port: -1}, err: "port"},
		"large port":             {backend: &events.Backend{Scheme: "http", Address: "nas", Port: 70000}, err: "port"},
		"no scheme in parts":     {backend: &events.Backend{Address: "nas", Port: 80}, err: "scheme"},
		"upper case in parts":    {backend: &events.Backend{Scheme: "HTTP", Address: "nas", Port: 80}, err: "scheme"},
		"no address":             {backend: &events.Backend{Scheme: "http", Port: 80}, err: "empty"},
		"bracketed address":      {backend: &events.Backend{Scheme: "http", Address: "[fd00::5]"}, err: "not an IP address"},
		"zone":                   {url: "http://[fe80::1%25eth0]", err: "not an IP address"},
		"hexadecimal address":    {url: "http://0x7f000001", err: "neither an IP address nor"},
		"decimal address":        {url: "http://2130706433", err: "neither an IP address nor"},
		"short address":          {url: "http://127.1", err: "neither an IP address nor"},
		"octal address":          {url: "http://0177.0.0.1", err: "neither an IP address nor"},
		"hexadecimal last label": {url: "http://127.0.0.0x1", err: "neither an IP address nor"},
		"trailing dot":           {url: "http://nas.lan.", err: "dot"},
		"space":                  {url: "http://na s", err: "not valid"},
		"newline":                {url: "http://nas\n", err: "not valid"},
		"template":               {url: "http://{{.}}", err: "not valid"},
		"escape":                 {url: "http://n%61s", err: "not valid"},
		"backtick":               {url: "http://na`s", err: "not valid"},
		"underscore":             {url: "http://my_app", err: "only a-z"},
		"very long":              {url: "http://" + strings.Repeat("a", 100_000), err: "longer"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			got, err := name.ParseBackend(tt.url, tt.backend)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %+v, error %v; want an error with %q", got, err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Fatalf("got %+v, error %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func FuzzParseBackend(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:3000", "https://[fd00::1]:1", "http://a@b", "http://0x7f.1", "http://xn--a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := name.ParseBackend(s, nil)
		if err != nil {
			return
		}
		again, err := name.ParseBackend(name.URL(b), &b)
		if err != nil || again != b {
			t.Errorf("%q gives %+v, which reads back as %+v, error %v", s, b, again, err)
		}
		if strings.ContainsAny(name.URL(b), "{}`\"'\n\\ %@?#*") {
			t.Errorf("%q gives %q", s, name.URL(b))
		}
	})
}
