package nearest

import "testing"

func TestOf(t *testing.T) {
	words := []string{"stack", "domain", "addresses", "services", "log"}
	for in, want := range map[string]string{
		"stak": "stack", "domian": "domain", "service": "services", "adresses": "addresses",
		"lgo": "log", "logging": "log", "addr": "addresses", "kubernetes": "", "": "", "zz": "",
	} {
		if got := Of(in, words); got != want {
			t.Errorf("Of(%q) = %q, want %q", in, got, want)
		}
	}
}
