package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestResolvePrecedence(t *testing.T) {
	file := write(t, "stack: file\ndomain: file.test\nlog: {level: warn}\n")
	env := map[string]string{"PHOENIX_STACK": "env", "PHOENIX_DOMAIN": "env.test", "PHOENIX_SERVICES": "a=http://10.0.0.1:80,b=https://10.0.0.2"}
	got, err := Resolve(file, func(k string) string { return env[k] }, flags(t, "--stack=flag", "--ca-duration", "2h"))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Stack, want.Domain, want.Log.Level, want.CA.Duration = "flag", "env.test", "warn", Duration(2*day/24)
	want.Services = []Service{{Name: "a", URL: "http://10.0.0.1:80"}, {Name: "b", URL: "https://10.0.0.2"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestResolveWithoutAnything(t *testing.T) {
	got, err := Resolve("", func(string) string { return "" }, nil)
	if err != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("got %+v, %v, want the default", got, err)
	}
}

func TestResolveNamesTheSource(t *testing.T) {
	file := write(t, "stack: home\naddresses: 10.0\n")
	env := map[string]string{"PHOENIX_DRIVER": "lokal", "PHOENIX_CA_ROOT_LIFE": "soon"}
	_, err := Resolve(file, func(k string) string { return env[k] }, flags(t, "--log-format=xml"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		file + ":2:1: addresses: ",
		`environment PHOENIX_DRIVER: driver: "lokal" is none of: local; did you mean "local"?`,
		"environment PHOENIX_CA_ROOT_LIFE: ca.root_life: ",
		"flag --log-format: log.format: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestKeysCoverEveryField(t *testing.T) {
	got := map[string]bool{}
	for _, k := range Keys() {
		got[k.Path] = true
	}
	for _, path := range leaves(reflect.TypeFor[Stack](), "") {
		if !got[path] {
			t.Errorf("%s has no flag and no variable", path)
		}
		delete(got, path)
	}
	for path := range got {
		t.Errorf("%s is no field", path)
	}
}

// leaves lists the paths of a struct that are set as a whole.
func leaves(typ reflect.Type, path string) []string {
	if typ.Kind() != reflect.Struct {
		return []string{path}
	}
	var out []string
	for f := range typ.Fields() {
		out = append(out, leaves(f.Type, below(path, keyOf(f)))...)
	}
	return out
}

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	BindFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "phoenix.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
