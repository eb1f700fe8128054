package stepca

import (
	"crypto/rand"
	"encoding/json"
	"fmt"

	"go.step.sm/crypto/jose"
)

// stretch is how often the admin's password is hashed. That is less than step's
// own 600,000, which take the larger part of a second: they slow down guessing a
// password that somebody thought of, and nobody guesses 130 random bits.
const stretch = 10_000

// adminKey is the key of the provisioner whose password the operator has: the
// public half, and the private one encrypted. Clients fetch both.
type adminKey struct {
	public    *jose.JSONWebKey
	encrypted string
}

func newAdminKey(password string) (adminKey, error) {
	key, err := jose.GenerateJWK("EC", jose.P256, jose.ES256, "sig", "", 0)
	if err != nil {
		return adminKey{}, fmt.Errorf("make the key: %w", err)
	}
	if key.KeyID, err = jose.Thumbprint(key); err != nil {
		return adminKey{}, fmt.Errorf("name the key: %w", err)
	}
	raw, err := json.Marshal(key)
	if err != nil {
		return adminKey{}, fmt.Errorf("render the key: %w", err)
	}
	salt := make([]byte, jose.PBKDF2SaltSize)
	_, _ = rand.Read(salt) // never fails
	options := (&jose.EncrypterOptions{}).WithContentType("jwk+json")
	encrypter, err := jose.NewEncrypter(jose.DefaultEncAlgorithm, jose.Recipient{
		Algorithm: jose.PBES2_HS256_A128KW, Key: []byte(password), PBES2Count: stretch, PBES2Salt: salt,
	}, options)
	if err != nil {
		return adminKey{}, fmt.Errorf("encrypt the key: %w", err)
	}
	sealed, err := encrypter.Encrypt(raw)
	if err != nil {
		return adminKey{}, fmt.Errorf("encrypt the key: %w", err)
	}
	public := key.Public()
	out := adminKey{public: &public}
	if out.encrypted, err = sealed.CompactSerialize(); err != nil {
		return adminKey{}, fmt.Errorf("render the encrypted key: %w", err)
	}
	return out, nil
}
