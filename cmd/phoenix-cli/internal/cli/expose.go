package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/await"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/client"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// exposeFlags say how a service is to be served.
type exposeFlags struct {
	hosts       []string
	issuer      string
	caFile      string
	fingerprint string
	serverName  string
	noWait      bool
	timeout     time.Duration
}

func newExpose(a *app) *cobra.Command {
	var f exposeFlags
	cmd := &cobra.Command{
		Use:     "expose NAME URL [flags]",
		GroupID: groupServices,
		Short:   "serve a service over HTTPS",
		Long: `Registers a service: NAME is its name, URL says where it really listens. It gets
a certificate and is served under NAME below the stack's domain, or under the
given hosts. The command ends when the service's certificate was seen in a real
handshake at the proxy and at the gateway.

An https backend is verified: against the stack's own root certificate, the
certificates in a file, or the fingerprint of its very certificate. There is no
unverified https. An http backend is served, and shown as not encrypted.

Exposing a name again changes the service. A name or host that somebody else
holds is refused; what is there stays.`,
		Example: `phoenix-cli expose grafana http://127.0.0.1:3000
phoenix-cli expose wiki https://10.0.0.5:8443 --ca wiki-ca.pem --server-name wiki.lan
phoenix-cli expose docs http://10.0.0.6 --host docs.phoenix.localhost --host handbook.phoenix.localhost`,
		Args: takes("NAME", "URL"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.expose(cmd.Context(), args[0], args[1], f) },
	}
	set := cmd.Flags()
	set.StringArrayVar(&f.hosts, "host", nil, "`host` to serve it under; may be given again (default NAME.<domain>)")
	set.StringVar(&f.issuer, "issuer", "", "how its certificate is issued: `acme` (default); bus and wildcard are not available in this version")
	set.StringVar(&f.caFile, "ca", "", "`file` of PEM certificates that an https backend is verified against")
	set.StringVar(&f.fingerprint, "fingerprint", "", "`SHA-256` of an https backend's own certificate")
	set.StringVar(&f.serverName, "server-name", "", "`name` on an https backend's certificate, when it is not its address")
	set.BoolVar(&f.noWait, "no-wait", false, "end when the bus has the registration")
	set.DurationVar(&f.timeout, "timeout", time.Minute, "longest `time` to wait until it is served")
	section(cmd, sectionJSON, "The service, as status has it under services.")
	_ = cmd.RegisterFlagCompletionFunc("issuer", cobra.FixedCompletions([]string{string(events.IssuerACME)}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) expose(ctx context.Context, service, url string, f exposeFlags) error {
	reg, backend, err := registration(service, url, f)
	if err != nil {
		return fault.Misuse(err, "phoenix-cli expose --help tells what is expected")
	}
	s, err := a.attach(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	domain, err := s.domain(ctx)
	if err != nil {
		return err
	}
	wish := await.Wish{Name: service, Hosts: reg.Hosts, Backend: backend, Issuer: reg.Issuer, Owner: events.Ops}
	if len(wish.Hosts) == 0 {
		wish.Hosts = []string{service + "." + domain}
	}
	if err := checkHosts(wish.Hosts, domain); err != nil {
		return fault.Misuse(err, "every host lies below "+domain)
	}
	mark, err := s.op.Mark(ctx)
	if err != nil {
		return err
	}
	ack, err := s.op.Say(ctx, reg)
	if err != nil {
		return err
	}
	if f.noWait {
		return a.report(done{Done: "registered", Name: service}, "%s is registered (message %d).\n", service, ack.Sequence)
	}
	return a.awaitService(ctx, s, mark, wish, f.timeout)
}

// registration checks the words of the command line as far as they can be
// judged without a stack.
func registration(service, url string, f exposeFlags) (events.ServiceRegistered, events.Backend, error) {
	reg := events.ServiceRegistered{
		Name: service, URL: url, Hosts: f.hosts, Issuer: events.Issuer(f.issuer),
		Fingerprint: f.fingerprint, ServerName: f.serverName,
	}
	backend, err := name.ParseBackend(url, nil)
	errs := []error{name.Service(service), err, reg.Issuer.Check()}
	if f.caFile != "" {
		pem, err := os.ReadFile(filepath.Clean(f.caFile))
		errs = append(errs, err)
		reg.CA = string(pem)
	}
	return reg, backend, errors.Join(errs...)
}

func checkHosts(hosts []string, domain string) error {
	var errs []error
	for _, h := range hosts {
		errs = append(errs, name.Host(h, domain))
	}
	return errors.Join(errs...)
}

// domain returns the domain of the stack.
func (s *session) domain(ctx context.Context) (string, error) {
	f, err := s.op.Facts(ctx, s.stack)
	if err != nil {
		return "", err
	}
	if f.Stack.Domain == "" {
		return "", fault.Latef("phoenix-cli status tells what it waits for", "stack %s is not there yet", s.stack)
	}
	return f.Stack.Domain, nil
}

// awaitService waits until the wish is served and reports the service.
func (a *app) awaitService(ctx context.Context, s *session, mark client.Mark, wish await.Wish, timeout time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p := a.progress()
	defer p.Close()
	p.Waiting("%s", wish.Name)
	w := await.Waiter{Op: s.op, Facts: s.facts, Since: mark, Tell: func(missing []await.Missing) {
		for _, m := range missing {
			p.Waiting("%s: %s", m.Name, m.Reason)
		}
	}}
	missing, err := w.Served(waiting, []await.Wish{wish})
	took := p.Elapsed()
	p.Close()
	switch {
	case err == nil && len(missing) > 0:
		return fault.Failuref("phoenix-cli deadletters list has the message", "%s was refused: %s", wish.Name, missing[0].Reason)
	case ctx.Err() != nil:
		return fault.Failuref("phoenix-cli services tells how it goes on", "interrupted; %s is registered all the same", wish.Name)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Latef("phoenix-cli services tells how it goes on; unexpose takes it back", "%s is not served after %s: %s",
			wish.Name, timeout, reasonOf(missing))
	case err != nil:
		return err
	}
	return a.reportService(ctx, s, wish.Name, took)
}

func reasonOf(missing []await.Missing) string {
	if len(missing) == 0 {
		return "its state could not be read"
	}
	return missing[0].Reason
}

func (a *app) reportService(ctx context.Context, s *session, service string, took time.Duration) error {
	f, err := s.facts(ctx)
	if err != nil {
		return err
	}
	for _, v := range view.Services(f) {
		if v.Name == service {
			return a.write(v, func(w io.Writer, style view.Style) error {
				_, err := fmt.Fprintf(w, "%s %s  %s\n", style.Good("✓"), v.URL, style.Dim(view.Duration(took)))
				return err
			})
		}
	}
	return fault.Failuref("", "%s was taken away again in the meantime", service)
}
