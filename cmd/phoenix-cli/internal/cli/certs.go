package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

func newCerts(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "certs [NAME...]",
		GroupID: groupTrust,
		Short:   "list the certificates that the CA has signed",
		Long: `Lists every certificate that the stack's CA has ever signed, whoever asked for
it and in whichever way, the newest first. With names: only those for one of
these names.

A certificate is one of: valid, expiring (it should have been renewed by now),
expired, revoked. Serials are in lower-case hexadecimal, as openssl x509 -serial
shows them.`,
		Example: `phoenix-cli certs
phoenix-cli certs portainer.phoenix.localhost
phoenix-cli certs -o json | jq -r '.[] | select(.state == "expiring") | .serial'`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.certs(cmd.Context(), args) },
	}
	cmd.ValidArgsFunction = a.complete(0, certNames)
	section(cmd, sectionJSON, `A list; its schema is docs/cli/certs.schema.json:
[{"serial","names","provisioner","issuer","not_before","not_after","holder","state"}]`)
	return cmd
}

func (a *app) certs(ctx context.Context, names []string) error {
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	all, err := s.op.Certs(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	certs := view.Certs(now, all, names)
	return a.write(certs, func(w io.Writer, style view.Style) error {
		return view.CertsText(w, style, now, certs)
	})
}
