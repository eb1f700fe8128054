package storage_test

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
)

// The file's form, written out once more as Traefik has it.
type (
	file  map[string]held
	held  struct{ Account, Certificates any }
	entry struct {
		Domain      map[string]string `json:"domain"`
		Certificate []byte            `json:"certificate"`
		Key         []byte            `json:"key"`
		Store       string
	}
)

func issue(t testing.TB, ca *testca.CA, host string, life time.Duration) entry {
	t.Helper()
	chain, key := ca.Issue(t, life, host)
	return entry{Domain: map[string]string{"main": host}, Certificate: chain, Key: key, Store: "default"}
}

func write(t testing.TB, path string, f file) []byte {
	t.Helper()
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return content
}

func hostsOf(p storage.Pairs) []string {
	var out []string
	for h, pair := range p.ByHost {
		if h != pair.Host || pair.Serial == "" || len(pair.Key) == 0 {
			out = append(out, "wrong pair for "+h)
		}
		out = append(out, h)
	}
	slices.Sort(out)
	return out
}

// account is made once: RSA keys take time.
var account = sync.OnceValue(func() *rsa.PrivateKey {
	dir, err := os.MkdirTemp("", "account")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	key, err := storage.AccountKey(filepath.Join(dir, "key.pem"))
	if err != nil {
		panic(err)
	}
	return key
})

func wish(resolvers ...string) storage.Wish {
	return storage.Wish{Resolvers: resolvers, Account: storage.Account{Email: "proxy@phoenix.localhost", Key: account()}}
}

func TestReaderToleratesHalfAFile(t *testing.T) {
	ca, path := testca.New(t), filepath.Join(t.TempDir(), "acme.json")
	r := storage.NewReader(path)
	if _, _, err := r.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	whole := write(t, path, file{"acme-1": {Certificates: []entry{issue(t, ca, "a.test", time.Hour)}}})
	for _, cut := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Read(); !storage.IsIncomplete(err) {
			t.Errorf("file cut at %d: %v", cut, err)
		}
	}
	write(t, path, file{"acme-1": {Certificates: []entry{issue(t, ca, "a.test", time.Hour)}}})
	p, changed, err := r.Read()
	if err != nil || !changed || !slices.Equal(hostsOf(p), []string{"a.test"}) {
		t.Errorf("whole file: %v, changed %t, %v", hostsOf(p), changed, err)
	}
	if _, changed, err = r.Read(); err != nil || changed {
		t.Errorf("same file: changed %t, %v", changed, err)
	}
}

func TestReaderTakesTheNewestAndNamesTheBroken(t *testing.T) {
	ca, path := testca.New(t), filepath.Join(t.TempDir(), "acme.json")
	older, newer := issue(t, ca, "a.test", time.Hour), issue(t, ca, "a.test", 2*time.Hour)
	mixed := issue(t, ca, "b.test", time.Hour)
	mixed.Key = older.Key
	foreign := issue(t, ca, "c.test", time.Hour)
	foreign.Domain = map[string]string{"main": "d.test"}
	write(t, path, file{
		"acme-1": {Certificates: []entry{newer, mixed}},
		"acme-2": {Certificates: []entry{older, foreign, {Domain: map[string]string{"main": "e.test"}}}},
		"acme-3": {},
	})
	p, _, err := storage.NewReader(path).Read()
	if err != nil {
		t.Fatal(err)
	}
	if got := p.ByHost["a.test"]; string(got.Chain) != string(newer.Certificate) || time.Until(got.NotAfter) < 90*time.Minute {
		t.Errorf("a.test ends at %s, want the newer one", got.NotAfter)
	}
	if !slices.Equal(hostsOf(p), []string{"a.test"}) || !slices.Equal(p.Broken, []string{"b.test", "d.test", "e.test"}) {
		t.Errorf("hosts %v, broken %v", hostsOf(p), p.Broken)
	}
}

func TestMend(t *testing.T) {
	ca := testca.New(t)
	a, b := issue(t, ca, "a.test", time.Hour), issue(t, ca, "b.test", time.Hour)
	older := issue(t, ca, "a.test", time.Minute)
	good := file{"acme-1": {Certificates: []entry{a, b}}}
	tests := map[string]struct {
		content   func(whole []byte) []byte // nil: no file
		copy      bool
		wanted    func(string) bool
		resolvers []string
		want      []string
		mended    storage.Mended
	}{
		"no file":             {resolvers: []string{"acme-1"}},
		"no file but a copy":  {copy: true, want: []string{"a.test", "b.test"}, mended: storage.Mended{Restored: true}},
		"whole":               {content: func(w []byte) []byte { return w }, want: []string{"a.test", "b.test"}},
		"half, no copy":       {content: func(w []byte) []byte { return w[:len(w)/2] }, mended: storage.Mended{SetAside: true}},
		"half, with a copy":   {content: func(w []byte) []byte { return w[:len(w)/2] }, copy: true, want: []string{"a.test", "b.test"}, mended: storage.Mended{Restored: true}},
		"empty, with a copy":  {content: func([]byte) []byte { return nil }, copy: true, want: []string{"a.test", "b.test"}, mended: storage.Mended{Restored: true}},
		"a list, with a copy": {content: func([]byte) []byte { return []byte("[]") }, copy: true, want: []string{"a.test", "b.test"}, mended: storage.Mended{Restored: true}},
		"null, no copy":       {content: func([]byte) []byte { return []byte("null") }, mended: storage.Mended{SetAside: true}},
		"unwanted hosts":      {content: func(w []byte) []byte { return w }, wanted: func(h string) bool { return h == "a.test" }, want: []string{"a.test"}, mended: storage.Mended{Dropped: []string{"b.test"}}},
		"another resolver":    {content: func(w []byte) []byte { return w }, resolvers: []string{"new-1", "new-2"}, want: []string{"a.test", "b.test"}},
		"an older duplicate": {content: func([]byte) []byte {
			return whole(t, file{"x": {Certificates: []entry{older}}, "y": {Certificates: []entry{a}}})
		}, want: []string{"a.test"}, mended: storage.Mended{Dropped: []string{"a.test"}}},
		"an equal duplicate": {content: func([]byte) []byte {
			return whole(t, file{"x": {Certificates: []entry{a}}, "y": {Certificates: []entry{a}}})
		}, want: []string{"a.test"}, mended: storage.Mended{Dropped: []string{"a.test"}}},
		"an entry without key": {content: func([]byte) []byte {
			return whole(t, file{"x": {Certificates: []entry{{Domain: a.Domain, Certificate: a.Certificate}}}})
		}, mended: storage.Mended{Dropped: []string{"a.test"}}},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "acme.json")
			content := write(t, path, good)
			if tt.copy {
				write(t, storage.GoodPath(path), good)
			}
			if tt.content == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(path, tt.content(content), 0o644); err != nil {
				t.Fatal(err)
			}
			w := wish(append(tt.resolvers, "acme-1")[0])
			if len(tt.resolvers) > 1 {
				w = wish(tt.resolvers...)
			}
			w.Wanted = tt.wanted
			m, err := storage.Mend(path, w)
			if err != nil {
				t.Fatal(err)
			}
			if m.Restored != tt.mended.Restored || m.SetAside != tt.mended.SetAside || !slices.Equal(m.Dropped, tt.mended.Dropped) {
				t.Errorf("mended %+v, want %+v", m, tt.mended)
			}
			checkMended(t, path, w, tt.want)
		})
	}
}

func whole(t testing.TB, f file) []byte {
	t.Helper()
	content, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// checkMended reads the file as Traefik would, and mends it once more.
func checkMended(t *testing.T, path string, w storage.Wish, want []string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	p, _, err := storage.NewReader(path).Read()
	if err != nil || !slices.Equal(hostsOf(p), want) || len(p.Broken) != 0 {
		t.Errorf("hosts %v, broken %v, %v; want %v", hostsOf(p), p.Broken, err, want)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var resolvers map[string]struct {
		Account struct {
			Email        string
			Registration any
			PrivateKey   []byte
		}
	}
	if err := json.Unmarshal(content, &resolvers); err != nil || len(resolvers) != len(w.Resolvers) {
		t.Fatalf("resolvers %v, %v", resolvers, err)
	}
	for _, name := range w.Resolvers {
		a := resolvers[name].Account
		if a.Email != w.Account.Email || a.Registration != nil || len(a.PrivateKey) == 0 {
			t.Errorf("account of %s: %+v", name, a)
		}
	}
	if _, err := storage.Mend(path, w); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(content) {
		t.Errorf("mended twice, it differs: %v", err)
	}
}

func TestKeepIsWhatMendRestores(t *testing.T) {
	ca, path := testca.New(t), filepath.Join(t.TempDir(), "acme.json")
	r := storage.NewReader(path)
	if err := r.Keep(); err != nil {
		t.Errorf("nothing to keep: %v", err)
	}
	write(t, path, file{"acme-1": {Certificates: []entry{issue(t, ca, "a.test", time.Hour)}}})
	if _, _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	if err := r.Keep(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Read(); !storage.IsIncomplete(err) {
		t.Fatalf("half a file: %v", err)
	}
	if err := r.Keep(); err != nil { // does not keep the half
		t.Fatal(err)
	}
	m, err := storage.Mend(path, wish("acme-1"))
	if err != nil || !m.Restored {
		t.Fatalf("mended %+v, %v", m, err)
	}
	p, changed, err := r.Read()
	if err != nil || !changed || !slices.Equal(hostsOf(p), []string{"a.test"}) {
		t.Errorf("restored: %v, %t, %v", hostsOf(p), changed, err)
	}
}

func TestAccountKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	first, err := storage.AccountKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := storage.AccountKey(path)
	if err != nil || !again.Equal(first) {
		t.Errorf("another key at the second call, %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key: %v, %v", info.Mode(), err)
	}
	if err := os.Truncate(path, 50); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.AccountKey(path); err != nil {
		t.Errorf("a broken key is not replaced: %v", err)
	}
}

func TestErrorsShowNoKey(t *testing.T) {
	ca, path := testca.New(t), filepath.Join(t.TempDir(), "acme.json")
	content := write(t, path, file{"acme-1": {Certificates: []entry{issue(t, ca, "a.test", time.Hour)}}})
	if err := os.WriteFile(path, content[:len(content)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := storage.NewReader(path).Read()
	if err == nil || len(err.Error()) > 200 || strings.Contains(err.Error(), "LS0t") {
		t.Errorf("error: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	ca := testca.New(f)
	f.Add(whole(f, file{"acme-1": {Certificates: []entry{issue(f, ca, "a.test", time.Hour)}}}))
	f.Add([]byte(`{"a":{"Account":null,"Certificates":[null]}}`))
	f.Add([]byte(`{"a":null}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"":{"Certificates":[{"domain":{"main":""},"certificate":"","key":""}]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "acme.json")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, readErr := storage.NewReader(path).Read()
		m, err := storage.Mend(path, wish("acme-1", "acme-2"))
		if err != nil {
			t.Fatalf("mend: %v", err)
		}
		if readErr != nil && len(content) > 0 && !m.SetAside {
			t.Errorf("unreadable (%v), but not set aside", readErr)
		}
		if _, _, err := storage.NewReader(path).Read(); err != nil {
			t.Errorf("unreadable after mending: %v", err)
		}
	})
}

func TestMendDropsWhatAnotherRootSigned(t *testing.T) {
	ca, path := testca.New(t), filepath.Join(t.TempDir(), "acme.json")
	write(t, path, file{"acme-1": {Certificates: []entry{
		issue(t, ca, "a.test", time.Hour), issue(t, testca.New(t), "b.test", time.Hour), issue(t, ca, "c.test", -time.Second),
	}}})
	w := wish("acme-1")
	w.Roots = ca.Pool()
	m, err := storage.Mend(path, w)
	if err != nil || !slices.Equal(m.Dropped, []string{"b.test", "c.test"}) {
		t.Errorf("dropped %v, %v", m.Dropped, err)
	}
	checkMended(t, path, w, []string{"a.test"})
}
