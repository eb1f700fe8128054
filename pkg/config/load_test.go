package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

func TestParseEmptyIsDefault(t *testing.T) {
	for _, raw := range []string{"", "\n", "# nothing\n", "---\n", "{}", "ca:\nservices:\n"} {
		got, err := Parse("phoenix.yaml", []byte(raw))
		if err != nil {
			t.Errorf("Parse(%q): %v", raw, err)
		}
		if !reflect.DeepEqual(got, Default()) {
			t.Errorf("Parse(%q) = %+v, want the default", raw, got)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("phoenix.yaml", []byte(`
stack: lab
domain: lab.example.test
addresses: 127.9.8
deadline: {step: 30s, run: 90s}
bus:
  url: tls://bus.example.test:4222
ca:
  name: Lab
  duration: 48h
  root_life: 730d
  intermediate_life: 365d
log: {level: debug}
services:
  - name: grafana
    url: http://10.0.0.5:3000
  - name: wiki
    hosts: [wiki.lab.example.test, docs.lab.example.test]
    backend:
      scheme: https
      address: 10.0.0.6
      port: 8443
    issuer: acme
    server_name: wiki.internal
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Stack, want.Domain, want.Addresses = "lab", "lab.example.test", "127.9.8"
	want.Deadline = Deadline{Step: Duration(30e9), Run: Duration(90e9)}
	want.Bus.URL = "tls://bus.example.test:4222"
	want.CA = CA{Name: "Lab", Duration: Duration(2 * day), RootLife: Duration(730 * day), IntermediateLife: Duration(365 * day)}
	want.Log.Level = "debug"
	want.Services = []Service{
		{Name: "grafana", URL: "http://10.0.0.5:3000"},
		{
			Name: "wiki", Hosts: []string{"wiki.lab.example.test", "docs.lab.example.test"},
			Backend: &Backend{Scheme: "https", Address: "10.0.0.6", Port: 8443},
			Issuer:  events.IssuerACME, ServerName: "wiki.internal",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseFaults(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"misspelled key", "stack: home\ndomian: x.test\n", `phoenix.yaml:2:1: domian: unknown key; did you mean "domain"?`},
		{"misspelled key inside", "ca:\n  duraton: 24h\n", `phoenix.yaml:2:3: ca.duraton: unknown key; did you mean "duration"?`},
		{"key of another level", "format: json\n", `phoenix.yaml:1:1: format: unknown key; "format" belongs under "log"`},
		{"no key like it", "log:\n  zzzzzzzz: 1\n", `phoenix.yaml:2:3: log.zzzzzzzz: unknown key; known here: format, level`},
		{"key twice", "stack: a\nstack: b\n", `phoenix.yaml:2:1: not valid YAML: mapping key "stack" already defined at [1:1]`},
		{"not YAML", "stack: [\n", `phoenix.yaml:1:8: not valid YAML: sequence end token ']' not found`},
		{"a list", "- a\n", `phoenix.yaml:1:1: keys and values expected, found a list`},
		{"a word", "home\n", `phoenix.yaml:1:1: keys and values expected, found "home"`},
		{"list for a value", "stack: [a]\n", `phoenix.yaml:1:8: stack: a single value expected, found a list`},
		{"value for a list", "services: grafana\n", `phoenix.yaml:1:11: services: a list expected, found "grafana"`},
		{"two documents", "stack: a\n---\nstack: b\n", `phoenix.yaml:3:1: a second document begins here; one file holds one stack`},
		{"wrong port", "services:\n- name: a\n  backend: {scheme: http, address: a.test, port: many}\n", `phoenix.yaml:3:50: services[0].backend.port: a whole number expected, found "many"`},
		{"wrong duration", "ca: {duration: long}\n", `phoenix.yaml:1:16: ca.duration: "long" is not a duration such as 90s, 24h or 30d`},
		{"anchor", "stack: &a home\n", `phoenix.yaml:1:8: anchors, aliases and merge keys are not supported: write the value out`},
		{"tag", "stack: !!str home\n", `phoenix.yaml:1:8: tags and directives are not supported`},
		{"deep flow", strings.Repeat("[", 20_000), `phoenix.yaml:1:17: nested too deeply`},
		{"deep block", strings.Repeat("- ", 20_000), `phoenix.yaml:1:65: indented too far`},
		{"large", strings.Repeat("#", maxFile+1), `phoenix.yaml: larger than 1048576 bytes`},
		{
			"several at once", "stak: a\nlog: {levl: x}\nca: {duration: 1}\n",
			`phoenix.yaml:1:1: stak: unknown key; did you mean "stack"?` + "\n" +
				`phoenix.yaml:2:7: log.levl: unknown key; did you mean "level"?` + "\n" +
				`phoenix.yaml:3:16: ca.duration: "1" is not a duration such as 90s, 24h or 30d`,
		},
		{
			"very many", strings.Repeat("- {name: a, url: b}\n", 2000),
			"phoenix.yaml:1:1: keys and values expected, found a list",
		},
		{
			"value out of range, with its place", "stack: home\nca:\n  duration: 30m\n",
			`phoenix.yaml:3:3: ca.duration: 30m is not a whole number of hours, at least 1h: ACME clients renew by such lives`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("phoenix.yaml", []byte(tt.in))
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !errors.Is(err, ErrInvalid) {
				t.Error("not an ErrInvalid")
			}
		})
	}
}

func TestMarshalReadsBack(t *testing.T) {
	want := Default()
	want.Services = []Service{
		{Name: "a", URL: "https://10.0.0.1:9443", Fingerprint: strings.Repeat("ab", 32)},
		{Name: "b", Hosts: []string{"x.phoenix.localhost"}, Backend: &Backend{Scheme: "http", Address: "fd00::1", Port: 80}},
	}
	raw, err := want.Marshal("Written by a test.\nSecond line.")
	if err != nil {
		t.Fatal(err)
	}
	if head := "# Written by a test.\n# Second line.\nstack: home\n"; !strings.HasPrefix(string(raw), head) {
		t.Errorf("begins with %.60q, want %q", raw, head)
	}
	got, err := Parse("phoenix.yaml", raw)
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeReadsBack(t *testing.T) {
	want := Default()
	want.Services = []Service{{Name: "a", URL: "https://10.0.0.1:9443"}}
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), `"duration":"24h"`) {
		t.Errorf("durations are not text: %s", raw)
	}
	got, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := Decode([]byte(`{"stack":"UPPER"}`)); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if _, err := Decode([]byte(`{"stack":`)); err == nil {
		t.Error("broken JSON is accepted")
	}
}

func TestLoadMissing(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("stack: home\nservices:\n  - name: a\n    url: http://10.0.0.1:80\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("? a\n: b\n"))
	f.Add([]byte("ca: |\n  x\n"))
	f.Add([]byte("\"stack\": 'x'\n--- !\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse("phoenix.yaml", raw)
		if err != nil {
			return
		}
		again, err := s.Marshal("")
		if err != nil {
			t.Fatalf("render what was read: %v", err)
		}
		got, err := Parse("phoenix.yaml", again)
		if err != nil {
			t.Fatalf("read what was rendered: %v\n%s", err, again)
		}
		if !reflect.DeepEqual(got, s) {
			t.Fatalf("got  %+v\nwant %+v", got, s)
		}
	})
}

func TestManyFaultsAreCut(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	_, err := Parse("phoenix.yaml", []byte(b.String()))
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxFaults+1 || lines[maxFaults] != "phoenix.yaml: 950 more faults are not shown" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
