package config

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"stack", "domain", "addresses", "services", "log"}
	for in, want := range map[string]string{
		"stak": "stack", "domian": "domain", "service": "services", "adresses": "addresses",
		"lgo": "log", "logging": "log", "kubernetes": "", "": "", "zz": "",
	} {
		if got := nearest(in, words); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}
