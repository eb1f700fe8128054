package stepca

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/renameio/v2"
	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/db"
)

// newConfig renders ca.json, as stock step-ca reads it too.
func newConfig(l layout, o Options, admin adminKey) ([]byte, error) {
	tls := config.DefaultTLSOptions
	c := &config.Config{
		Root: []string{l.root()}, FederatedRoots: []string{},
		IntermediateCert: l.intermediate(), IntermediateKey: l.intermediateKey(),
		Logger: json.RawMessage(`{"format": "text"}`),
		DB:     &db.Config{Type: "badgerv2", DataSource: l.database()},
		TLS:    &tls,
		AuthorityConfig: &config.AuthConfig{Provisioners: provisioner.List{
			&provisioner.JWK{Type: "JWK", Name: provisionerAdmin, Key: admin.public, EncryptedKey: admin.encrypted},
			&provisioner.ACME{
				Type: "ACME", Name: provisionerACME,
				Challenges: []provisioner.ACMEChallenge{provisioner.TLS_ALPN_01, provisioner.DNS_01},
			},
		}},
	}
	applyOptions(c, o)
	out, err := json.MarshalIndent(c, "", "\t") //nolint:gosec // its password field is empty
	if err != nil {
		return nil, fmt.Errorf("render ca.json: %w", err)
	}
	return append(out, '\n'), nil
}

// applyOptions sets what the options decide, whatever ca.json says; all else in
// it, provisioners that somebody added among it, stays.
func applyOptions(c *config.Config, o Options) {
	c.Address = o.Listen
	c.DNSNames = o.Names
	c.CommonName = o.Names[0]
	if c.AuthorityConfig.Claims == nil {
		c.AuthorityConfig.Claims = &provisioner.Claims{}
	}
	c.AuthorityConfig.Claims.MinTLSDur = duration(min(o.Duration, minDuration))
	c.AuthorityConfig.Claims.MaxTLSDur = duration(o.Duration)
	c.AuthorityConfig.Claims.DefaultTLSDur = duration(o.Duration)
	sshOff := false
	c.AuthorityConfig.Claims.EnableSSHCA = &sshOff
	c.SSH = nil
}

func duration(d time.Duration) *provisioner.Duration { return &provisioner.Duration{Duration: d} }

// loadConfig reads ca.json and brings it up to the options, on disk too: stock
// step-ca would then do the same.
func loadConfig(l layout, o Options) (*config.Config, error) {
	c, err := config.LoadConfiguration(l.config())
	if err != nil {
		return nil, fmt.Errorf("load the CA's configuration: %w", err)
	}
	before, err := json.Marshal(c) //nolint:gosec // to be compared
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", l.config(), err)
	}
	applyOptions(c, o)
	after, err := json.Marshal(c) //nolint:gosec // what was in the file goes back into it
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", l.config(), err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", l.config(), err)
	}
	taken := slices.ContainsFunc(c.AuthorityConfig.Provisioners, func(p provisioner.Interface) bool {
		return p.GetName() == provisionerBus
	})
	if taken {
		return nil, fmt.Errorf("configuration %s: a provisioner must not be called %q, this name is ours: rename it", l.config(), provisionerBus)
	}
	if bytes.Equal(before, after) {
		return c, nil
	}
	var out bytes.Buffer
	if err := json.Indent(&out, append(after, '\n'), "", "\t"); err != nil {
		return nil, fmt.Errorf("render %s: %w", l.config(), err)
	}
	if err := renameio.WriteFile(l.config(), out.Bytes(), 0o600); err != nil {
		return nil, fmt.Errorf("bring %s up to date: %w", l.config(), err)
	}
	return c, nil
}
