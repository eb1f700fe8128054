package nginx_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/seal"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

func openPairs(tb testing.TB, prefix string) *nginx.Pairs {
	tb.Helper()
	pairs, err := nginx.OpenPairs(prefix, domain)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = pairs.Close() })
	return pairs
}

func place(tb testing.TB, pairs *nginx.Pairs, pair seal.Pair) {
	tb.Helper()
	if err := pairs.Place(tb.Context(), pair); err != nil {
		tb.Fatal(err)
	}
}

func TestPairs(t *testing.T) {
	ca, prefix := nginxtest.NewCA(t), t.TempDir()
	pairs := openPairs(t, prefix)
	key := nginxtest.NewKey(t)
	first := ca.Renew(t, "a."+domain, key)
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 253-3*64-1-len(domain)) + "." + domain
	place(t, pairs, first)
	place(t, pairs, ca.Pair(t, longest))
	if hosts, err := pairs.Hosts(); err != nil || !reflect.DeepEqual(hosts, []string{"a." + domain, longest}) {
		t.Errorf("Hosts: got %q, %v", hosts, err)
	}
	got, ok := pairs.Get("a." + domain)
	if !ok || got.Serial != first.Serial || !bytes.Equal(got.Key, first.Key) {
		t.Errorf("Get: got %v, %t, want %v", got, ok, first)
	}
	start := time.Now()
	renewed := ca.Renew(t, "a."+domain, key)
	place(t, pairs, renewed)
	if took := time.Since(start); took > 400*time.Millisecond {
		t.Errorf("renewal with the same key took %s, want no waiting", took)
	}
	if got, ok := pairs.Get("a." + domain); !ok || got.Serial != renewed.Serial {
		t.Errorf("Get after renewal: got %v, %t, want %v", got, ok, renewed)
	}
	for range 2 {
		if err := pairs.Remove("a." + domain); err != nil {
			t.Error(err)
		}
	}
	if _, ok := pairs.Get("a." + domain); ok {
		t.Error("Get after Remove: still there")
	}
	if hosts, err := pairs.Hosts(); err != nil || !reflect.DeepEqual(hosts, []string{longest}) {
		t.Errorf("Hosts after Remove: got %q, %v", hosts, err)
	}
}

func TestPairsKeepSecrets(t *testing.T) {
	prefix := t.TempDir()
	place(t, openPairs(t, prefix), nginxtest.NewCA(t).Pair(t, "a."+domain))
	err := filepath.WalkDir(filepath.Join(prefix, "pairs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPairsRefuseHostileHosts(t *testing.T) {
	prefix := t.TempDir()
	pairs := openPairs(t, prefix)
	pair := nginxtest.NewCA(t).Pair(t, "a."+domain)
	for _, host := range []string{
		"", ".", "..", "../a", "../../nginx.conf", "/etc/passwd", "a/../b." + domain, "A." + domain, "*." + domain, "a." + domain + ".",
		"a\x00." + domain, "a\n." + domain, "a." + domain + "\n", ".new-1", domain, "a.example.com", "..a." + domain, strings.Repeat("a.", 200) + domain,
	} {
		pair.Host = host
		if err := pairs.Place(t.Context(), pair); err == nil {
			t.Errorf("Place(%q): got no error", host)
		}
		if err := pairs.Remove(host); err == nil {
			t.Errorf("Remove(%q): got no error", host)
		}
		if _, ok := pairs.Get(host); ok {
			t.Errorf("Get(%q): got a pair", host)
		}
	}
	if hosts, err := pairs.Hosts(); err != nil || len(hosts) != 0 {
		t.Errorf("Hosts: got %q, %v", hosts, err)
	}
}

func TestPairsAfterACrash(t *testing.T) {
	ca, prefix := nginxtest.NewCA(t), t.TempDir()
	pairs := openPairs(t, prefix)
	a, b, c := "a."+domain, "b."+domain, "c."+domain
	for _, host := range []string{a, b, c} {
		place(t, pairs, ca.Pair(t, host))
	}
	file := func(half, name string) string { return filepath.Join(prefix, "pairs", half, name) }
	other := ca.Pair(t, a)
	for path, content := range map[string][]byte{
		file("odd", a):         append(bytes.Clone(other.Chain), other.Key...), // exchanged in one half
		file("odd", b):         nil,                                            // never reached the disk
		file("even", ".new-1"): []byte("half"),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(file("odd", c)); err != nil {
		t.Fatal(err)
	}
	pairs = openPairs(t, prefix)
	for _, host := range []string{a, b, c} {
		if _, ok := pairs.Get(host); ok {
			t.Errorf("Get(%s): got a pair that is not whole", host)
		}
	}
	if hosts, err := pairs.Hosts(); err != nil || !reflect.DeepEqual(hosts, []string{a, b, c}) {
		t.Errorf("Hosts: got %q, %v", hosts, err)
	}
	for _, host := range []string{a, b, c} {
		place(t, pairs, ca.Pair(t, host))
		if _, ok := pairs.Get(host); !ok {
			t.Errorf("Get(%s) after Place: got none", host)
		}
	}
}

func TestExchangeCanBeCancelled(t *testing.T) {
	ca := nginxtest.NewCA(t)
	pairs := openPairs(t, t.TempDir())
	place(t, pairs, ca.Pair(t, "a."+domain))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// One of the two halves has to be waited for.
	if err := pairs.Place(ctx, ca.Pair(t, "a."+domain)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
