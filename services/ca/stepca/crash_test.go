package stepca_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"go.step.sm/crypto/x509util"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

// anything claims every name.
type anything struct{}

func (anything) Check(context.Context, stepca.Request) error { return nil }

// signForEver signs in the folder of the environment until it is killed, and
// prints each serial that was handed out. It is another process of the test
// below.
func signForEver() int {
	ca, err := stepca.Open(context.Background(), stepca.Options{
		Folder: os.Getenv("STEPCA_SIGN"), Listen: os.Getenv("STEPCA_LISTEN"),
		Names: []string{"ca." + domain}, Domains: []string{domain}, Ranges: []netip.Prefix{netip.MustParsePrefix("127.13.0.0/16")},
		Claims: anything{}, Network: nowhere{}, Signed: func(stepca.Certificate) {}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := 0; ; i++ {
		if err := signOne(ca, strconv.Itoa(i)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

func signOne(ca *stepca.CA, id string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	name := "s" + id + "." + domain
	csr, err := x509util.CreateCertificateRequest(name, []string{name}, key)
	if err != nil {
		return err
	}
	got, err := ca.Sign(context.Background(), stepca.Ask{CSR: csr, Names: []string{name}, Speaker: "ops", Holder: "h" + id, Request: id})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, got.Serial)
	return err
}

func TestCrashLosesNoCertificate(t *testing.T) {
	o := options(t, anything{})
	o.Names = o.Names[:1]
	var handedOut []string
	for round := range 4 {
		handedOut = append(handedOut, signUntilKilled(t, o, 10+13*round)...)
		ca, err := stepca.Open(t.Context(), o)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		all, err := ca.Signed(func(string) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]stepca.Certificate{}
		for _, c := range all {
			known[c.Serial] = c
		}
		for _, serial := range handedOut {
			if c := known[serial]; c.Way != stepca.WayBus || "s"+c.Request+"."+domain != c.Names[0] || c.Holder != "h"+c.Request {
				t.Errorf("round %d: certificate %s is known as %+v", round, serial, c)
			}
		}
		rest, err := ca.Signed(func(serial string) bool { return slices.Contains(handedOut, serial) })
		if err != nil || len(rest) != len(all)-len(handedOut) {
			t.Errorf("%d of %d are not known, %v", len(rest), len(all), err)
		}
		if err := ca.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// signUntilKilled lets another process sign, kills it after n certificates and
// returns the serials it has told.
func signUntilKilled(t *testing.T, o stepca.Options, n int) []string {
	t.Helper()
	crash := exec.CommandContext(t.Context(), os.Args[0])
	crash.Env = append(os.Environ(), "STEPCA_SIGN="+o.Folder, "STEPCA_LISTEN="+o.Listen)
	out, err := crash.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := crash.Start(); err != nil {
		t.Fatal(err)
	}
	var serials []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		serials = append(serials, lines.Text())
		if len(serials) == n {
			if err := crash.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = crash.Wait()
	if len(serials) < n {
		t.Fatalf("only %d certificates were signed", len(serials))
	}
	return serials
}

func TestHalfWrittenRecordIsCutOff(t *testing.T) {
	o := options(t, anything{})
	o.Names = o.Names[:1]
	handedOut := signUntilKilled(t, o, 5)
	path := filepath.Join(o.Folder, "db", "000000.vlog")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("half a record, as a power cut leaves it"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ca, err := stepca.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ca.Close() }()
	all, err := ca.Signed(func(serial string) bool { return !slices.Contains(handedOut, serial) })
	if err != nil || len(all) != len(handedOut) {
		t.Errorf("%d of %d certificates, %v", len(all), len(handedOut), err)
	}
}

func TestSameRequestAfterRestart(t *testing.T) {
	name := "grafana." + domain
	o := options(t, claim(name))
	ask := stepca.Ask{CSR: acmetest.CSR(t, acmetest.Key(t), name), Names: []string{name}, Speaker: "ops", Holder: "me", Request: "r"}
	var serials []string
	for range 2 {
		ca, err := stepca.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ca.Sign(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x509.ParseCertificate(decode(t, got.Chain)[0]); err != nil {
			t.Fatal(err)
		}
		serials = append(serials, got.Serial)
		if err := ca.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if serials[0] != serials[1] {
		t.Errorf("got %s, then %s", serials[0], serials[1])
	}
}
