package stepca_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/testenv"
	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestSerialIsWhatOpenSSLShows(t *testing.T) {
	openssl := testenv.Tool(t, "openssl")
	key := acmetest.Key(t)
	for _, hex := range []string{"1", "0a", "7f", "80", "abc", "0102", "00ffee", "8000000000000000000000000000000f"} {
		n, ok := new(big.Int).SetString(hex, 16)
		if !ok {
			t.Fatal(hex)
		}
		template := &x509.Certificate{SerialNumber: n}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "crt.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), openssl, "x509", "-serial", "-noout", "-in", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(string(out)), "serial="))
		if got := stepca.Serial(n); got != want {
			t.Errorf("serial %s: got %q; want %q", hex, got, want)
		}
	}
}
