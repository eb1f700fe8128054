package standin

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func place(t *testing.T) Place {
	t.Helper()
	return Place{Dir: filepath.Join(t.TempDir(), "stand-ins"), Address: "127.14.3.200", Command: []string{"/bin/phoenix-cli", "stand-in"}}
}

func urls(placed []Placed) []string {
	var out []string
	for _, p := range placed {
		out = append(out, p.Service+" "+p.URL)
	}
	return out
}

func TestPrepare(t *testing.T) {
	p := place(t)
	services := []Service{{"portainer", "https"}, {"grafana", "http"}, {"dr-phoenix", "https"}}
	placed, u, err := Prepare(p, services)
	check(t, err)
	want := []string{
		"portainer https://127.14.3.200:10001", "grafana http://127.14.3.200:10002", "dr-phoenix https://127.14.3.200:10003",
	}
	if got := urls(placed); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(placed[0].Fingerprint) != 64 || placed[1].Fingerprint != "" || placed[2].Fingerprint == placed[0].Fingerprint {
		t.Errorf("fingerprints: %+v", placed)
	}
	file := filepath.Join(p.Dir, fileName)
	if want := []string{"/bin/phoenix-cli", "stand-in", file}; !reflect.DeepEqual(u.Exec, want) || u.Validate() != nil || !u.Enabled {
		t.Errorf("unit: got %+v, %v", u, u.Validate())
	}
	for _, path := range []string{file, filepath.Join(p.Dir, "portainer.pem")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}

	again, same, err := Prepare(p, services)
	check(t, err)
	if !reflect.DeepEqual(again, placed) || !reflect.DeepEqual(same, u) {
		t.Errorf("again: got %+v, %+v", again, same)
	}

	fewer, other, err := Prepare(p, []Service{{"vault", "http"}, {"dr-phoenix", "https"}, {"portainer", "https"}})
	check(t, err)
	want = []string{
		"vault http://127.14.3.200:10002", "dr-phoenix https://127.14.3.200:10003", "portainer https://127.14.3.200:10001",
	}
	if got := urls(fewer); !reflect.DeepEqual(got, want) || fewer[2].Fingerprint != placed[0].Fingerprint {
		t.Errorf("others: got %q, want %q", got, want)
	}
	if other.Equal(u) {
		t.Error("the unit is the same though it serves others")
	}
}

func TestPrepareElsewhere(t *testing.T) {
	p := place(t)
	before, _, err := Prepare(p, []Service{{"a", "http"}, {"b", "https"}})
	check(t, err)
	p.Address = "127.14.4.200"
	after, _, err := Prepare(p, []Service{{"b", "https"}})
	check(t, err)
	if got := after[0]; got.URL != "https://127.14.4.200:10001" || got.Fingerprint == before[1].Fingerprint {
		t.Errorf("got %+v", got)
	}
	check(t, os.WriteFile(filepath.Join(p.Dir, fileName), []byte("broken: ["), 0o600))
	if _, _, err := Prepare(p, []Service{{"b", "https"}}); err != nil {
		t.Errorf("broken list: %v", err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	for name, services := range map[string][]Service{
		"path as name": {{"../a", "https"}},
		"scheme":       {{"a", "ftp"}},
		"twice":        {{"a", "http"}, {"a", "https"}},
	} {
		if _, _, err := Prepare(place(t), services); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if _, err := assign(nil, make([]Service, 0)); err != nil {
		t.Error(err)
	}
}

func TestCertificateIsRenewedInTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.pem")
	now := time.Now()
	ensure := func(at time.Time) string {
		t.Helper()
		fp, err := ensureCertificate(file, "a", "127.14.3.200", at)
		check(t, err)
		return fp
	}
	first := ensure(now)
	if got := ensure(now.Add(certificateLife - certificateSpare - time.Hour)); got != first {
		t.Error("made anew while it lasts")
	}
	second := ensure(now.Add(certificateLife - certificateSpare + time.Hour))
	if second == first {
		t.Error("not made anew in time")
	}
	check(t, os.WriteFile(file, []byte("half a fi"), 0o600))
	if got := ensure(now); got == second {
		t.Error("a broken file is used")
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		raw  string
		want string // part of the error; empty: two backends
	}{
		"good": {`[{"service":"a","listen":"127.0.0.1:1","scheme":"http"},
			{"service":"b","listen":"127.0.0.1:2","scheme":"https","certificate":"/x"}]`, ""},
		"unknown key":           {`[{"service":"a","listens":"x"}]`, "listens"},
		"name":                  {`[{"service":"a/b","listen":"127.0.0.1:1","scheme":"http"}]`, "a/b"},
		"listen":                {`[{"service":"a","listen":"localhost:1","scheme":"http"}]`, "listen"},
		"scheme":                {`[{"service":"a","listen":"127.0.0.1:1","scheme":"tcp"}]`, "scheme"},
		"https, no certificate": {`[{"service":"a","listen":"127.0.0.1:1","scheme":"https"}]`, "without a certificate"},
		"not a list":            {`{"service":"a"}`, "decode"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			list, err := parse([]byte(tt.raw))
			if tt.want == "" {
				if err != nil || len(list) != 2 {
					t.Fatalf("got %+v, %v", list, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"service":"a","listen":"127.0.0.1:1","scheme":"http"}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := parse(raw)
		for _, b := range list {
			if err == nil && b.validate() != nil {
				t.Fatalf("accepted %+v", b)
			}
		}
	})
}
