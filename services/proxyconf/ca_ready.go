package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

// caReady records whom to trust and where certificates are ordered.
func (h *handlers) caReady(ctx context.Context, e events.Event[events.CAReady]) error {
	if err := checkCA(e.Data); err != nil {
		return events.Invalid(err)
	}
	return h.book.SetCA(ctx, book.CA{Origin: book.OriginOf(ctx, e.Meta), CAReady: e.Data})
}

func checkCA(ca events.CAReady) error {
	u, err := url.Parse(ca.ACMEDirectory)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("acme_directory is %.200q: want an https URL", ca.ACMEDirectory)
	}
	if life := time.Duration(ca.Duration) * time.Second; life < time.Hour || ca.Duration > int64(10*365*24*time.Hour/time.Second) {
		return fmt.Errorf("duration is %d seconds: want one hour to ten years", ca.Duration)
	}
	return checkRoot(ca.Root, ca.RootFingerprint)
}

// checkRoot accepts one certificate of a CA, and nothing else.
func checkRoot(text, fingerprint string) error {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return errors.New("root is not one PEM certificate")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return errors.New("root can't be read")
	}
	if !root.IsCA {
		return errors.New("root is not the certificate of a CA")
	}
	if sum := sha256.Sum256(root.Raw); hex.EncodeToString(sum[:]) != fingerprint {
		return fmt.Errorf("root_fingerprint %.80q is not that of the root", fingerprint)
	}
	return nil
}
