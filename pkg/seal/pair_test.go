package seal

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"
)

// issue makes a self-signed pair for names that ends at notAfter.
func issue(tb testing.TB, serial int64, notAfter time.Time, names ...string) (chain, key []byte) {
	tb.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, priv.Public(), priv)
	if err != nil {
		tb.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestSerial(t *testing.T) {
	big1, _ := new(big.Int).SetString("0a0b0c0d0e0f10111213141516171819", 16)
	for _, row := range []struct {
		n    *big.Int
		want string
	}{
		{big.NewInt(0), "00"},
		{big.NewInt(10), "0a"},
		{big.NewInt(0xABC), "0abc"},
		{big1, "0a0b0c0d0e0f10111213141516171819"},
	} {
		if got := Serial(row.n); got != row.want {
			t.Errorf("Serial(%v): got %s, want %s", row.n, got, row.want)
		}
	}
}

func TestNewPair(t *testing.T) {
	end := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	chain, key := issue(t, 0xA1B, end, "a.phoenix.localhost")
	otherChain, otherKey := issue(t, 2, end, "b.phoenix.localhost")
	for _, row := range []struct {
		name, host string
		chain, key []byte
		want       string // part of the error; empty: none
	}{
		{"good", "a.phoenix.localhost", chain, key, ""},
		{"chain of two", "a.phoenix.localhost", append(bytes.Clone(chain), otherChain...), key, ""},
		{"no chain", "a.phoenix.localhost", nil, key, "chain is empty"},
		{"no key", "a.phoenix.localhost", chain, nil, "key is not one PEM block"},
		{"another's key", "a.phoenix.localhost", chain, otherKey, "does not match"},
		{"another's host", "b.phoenix.localhost", chain, key, "b.phoenix.localhost"},
		{"no host", "", chain, key, "certificate"},
		{"key in the chain", "a.phoenix.localhost", append(bytes.Clone(chain), key...), key, "something else"},
		{"text after the chain", "a.phoenix.localhost", append(bytes.Clone(chain), "server {}"...), key, "something else"},
		{"chain is no certificate", "a.phoenix.localhost", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), key, "chain: "},
		{"certificate as key", "a.phoenix.localhost", chain, chain, "not a private key"},
		{"two keys", "a.phoenix.localhost", chain, append(bytes.Clone(key), otherKey...), "key is not one PEM block"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := NewPair(row.host, row.chain, row.key)
			switch {
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, want an error with %q", err, row.want)
			case row.want == "" && err != nil:
				t.Errorf("got %v", err)
			case row.want == "" && (p.Serial != "0a1b" || !p.NotAfter.Equal(end)):
				t.Errorf("got serial %s until %s, want 0a1b until %s", p.Serial, p.NotAfter, end)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	const host = "a.phoenix.localhost"
	end := time.Now().Add(time.Hour)
	chain, key := issue(t, 1, end, host)
	otherChain, _ := issue(t, 2, end, host)
	oldChain, oldKey := issue(t, 3, time.Now().Add(-time.Hour), host)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(chain)
	roots.AppendCertsFromPEM(oldChain)
	others := x509.NewCertPool()
	others.AppendCertsFromPEM(otherChain)
	for _, row := range []struct {
		name  string
		pair  Pair
		roots *x509.CertPool
		want  string // part of the error; empty: none
	}{
		{"good", Pair{Host: host, Chain: chain, Key: key}, roots, ""},
		{"with more in the chain", Pair{Host: host, Chain: append(bytes.Clone(chain), otherChain...), Key: key}, roots, ""},
		{"another root", Pair{Host: host, Chain: chain, Key: key}, others, "unknown authority"},
		{"another host", Pair{Host: "b.phoenix.localhost", Chain: chain, Key: key}, roots, "b.phoenix.localhost"},
		{"over", Pair{Host: host, Chain: oldChain, Key: oldKey}, roots, "expired"},
		{"no chain", Pair{Host: host}, roots, "empty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.pair.Verify(row.roots)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

func TestKeyIsNeverShown(t *testing.T) {
	chain, key := issue(t, 1, time.Now().Add(time.Hour), "a.phoenix.localhost")
	p, err := NewPair("a.phoenix.localhost", chain, key)
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U"} {
		fmt.Fprintf(&shown, verb+" "+verb+" "+verb+"\n", p, &p, p.Key)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&shown, nil), slog.NewJSONHandler(&shown, nil)} {
		slog.New(h).Info("pair", "pair", p, "key", p.Key)
	}
	asJSON, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(asJSON)
	block, _ := pem.Decode(key)
	for what, secret := range map[string]string{
		"PEM":         strings.Split(string(key), "\n")[1],
		"hexadecimal": hex.EncodeToString(block.Bytes[len(block.Bytes)/2:]),
		"decimal":     strings.Trim(fmt.Sprintf("%v", key[30:40]), "[]"),
	} {
		if strings.Contains(strings.ToLower(shown.String()), strings.ToLower(secret)) {
			t.Errorf("the key was shown as %s", what)
		}
	}
	if !strings.Contains(shown.String(), redacted) {
		t.Errorf("got no %s in %s", redacted, shown.String())
	}
}
