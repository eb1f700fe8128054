package cli

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/smallstep/truststore"
	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

// trusted is what the trust command reports.
type trusted struct {
	Root        string    `json:"root"` // PEM
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"not_after"`
	Installed   bool      `json:"installed"`
}

func newTrust(a *app) *cobra.Command {
	var install bool
	cmd := &cobra.Command{
		Use:     "trust [flags]",
		GroupID: groupTrust,
		Short:   "print the root certificate, or put it into the system's store",
		Long: `Prints the root certificate of the stack's CA in PEM: whoever trusts it trusts
every certificate of the stack. With --install it is put into the system's store
of trusted certificates, which needs root's rights (sudo is used if it is
there). Browsers with a store of their own, such as Firefox, import the printed
file.`,
		Example: `curl --cacert <(phoenix-cli trust) https://portainer.phoenix.localhost:8443/
phoenix-cli trust > root.pem
sudo --preserve-env=PHOENIX_HOME phoenix-cli trust --install`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.trust(cmd.Context(), install) },
	}
	cmd.Flags().BoolVar(&install, "install", false, "put it into the system's store")
	section(cmd, sectionJSON, `{"root","fingerprint","not_after","installed"}`)
	return cmd
}

func (a *app) trust(ctx context.Context, install bool) error {
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	root, err := s.root(ctx)
	if err != nil {
		return err
	}
	cert, err := parseRoot(root)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(cert.Raw)
	t := trusted{Root: root, Fingerprint: hex.EncodeToString(sum[:]), NotAfter: cert.NotAfter}
	if install {
		if err := truststore.Install(cert); err != nil {
			return fault.Failure(fmt.Errorf("put the root certificate into the system's store: %w", err),
				"it needs root's rights: run it as root, or with sudo")
		}
		t.Installed = true
	}
	return a.write(t, func(w io.Writer, style view.Style) error {
		if install {
			_, err := fmt.Fprintf(w, "The system trusts %s now (SHA-256 %s).\n", cert.Subject.CommonName, t.Fingerprint)
			return err
		}
		if a.live(w) {
			_, _ = fmt.Fprintln(a.Stderr, style.Dim("SHA-256 "+t.Fingerprint))
		}
		_, err := io.WriteString(w, root)
		return err
	})
}

// root returns the root certificate of the stack's CA, in PEM.
func (s *session) root(ctx context.Context) (string, error) {
	f, err := s.op.Facts(ctx, s.stack)
	if err != nil {
		return "", err
	}
	if f.CA.Root == "" {
		return "", fault.Latef("phoenix-cli status tells what it waits for", "stack %s has no certificate authority yet", s.stack)
	}
	return f.CA.Root, nil
}

func parseRoot(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the root certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the root certificate: %w", err)
	}
	return cert, nil
}
