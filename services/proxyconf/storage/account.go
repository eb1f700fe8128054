package storage

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// accountBits is the size of the account's key. Traefik itself would make one of
// 4096 bits for each resolver at its start, which takes seconds, and sign every
// request with it.
const accountBits = 2048

// Account is the ACME account that all resolvers share.
type Account struct {
	Email string
	Key   *rsa.PrivateKey
}

// AccountKey returns the key in the file at path, and makes it when it is not
// there or broken. Traefik can use RSA alone.
func AccountKey(path string) (*rsa.PrivateKey, error) {
	if key, err := readKey(path); err == nil {
		return key, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, accountBits)
	if err != nil {
		return nil, fmt.Errorf("make the ACME account's key: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if err := writeFile(path, pem.EncodeToMemory(block)); err != nil {
		return nil, fmt.Errorf("write the ACME account's key: %w", err)
	}
	return key, nil
}

func readKey(path string) (*rsa.PrivateKey, error) {
	content, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}

// entry is the account as Traefik stores it, not registered: Traefik registers it
// at its start, which finds the account or makes it, so a CA that lost its
// accounts does no harm.
func (a Account) entry() *account {
	return &account{Email: a.Email, PrivateKey: x509.MarshalPKCS1PrivateKey(a.Key), KeyType: "P256"}
}
