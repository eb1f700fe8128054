package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

// caReady records the root that Traefik and all pairs have to be verified
// against.
func (h *handlers) caReady(ctx context.Context, e events.Event[events.CAReady]) error {
	if err := checkRoot(e.Data.Root, e.Data.RootFingerprint); err != nil {
		return events.Invalid(err)
	}
	return h.ledger.SetRoot(ctx, ledger.Root{Origin: ledger.OriginOf(ctx, e.Meta), PEM: e.Data.Root})
}

// checkRoot says whether root is one CA certificate with that fingerprint.
func checkRoot(root, fingerprint string) error {
	block, rest := pem.Decode([]byte(root))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("root is not one certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	if !cert.IsCA {
		return errors.New("root is not the certificate of a CA")
	}
	sum := sha256.Sum256(cert.Raw)
	if got := hex.EncodeToString(sum[:]); got != fingerprint {
		return fmt.Errorf("root has the fingerprint %s, told is %.80q", got, fingerprint)
	}
	return nil
}
