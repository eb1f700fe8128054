package stepca_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestACMECertificate(t *testing.T) {
	name := "grafana." + domain
	var told signed
	r := acmetest.StartResponder(t)
	o := options(t, claim(name))
	o.Network, o.Signed = r, told.add
	ca, _ := serve(t, o)
	chain, err := newACME(t, ca, r).Certificate(t.Context(), acmetest.CSR(t, acmetest.Key(t), name))
	if err != nil {
		t.Fatal(err)
	}
	leaf := verify(t, ca, chain, name)
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life != stepca.DefaultDuration+time.Minute {
		t.Errorf("it lives %s", life)
	}
	got := told.of(stepca.WayACME)
	if len(got) != 1 || got[0].Serial != stepca.Serial(leaf.SerialNumber) || got[0].Provisioner != "acme" ||
		len(got[0].Names) != 1 || got[0].Names[0] != name || !got[0].NotAfter.Equal(leaf.NotAfter) {
		t.Errorf("told of %+v", got)
	}
	verify(t, ca, decode(t, got[0].Chain), name)
}

func TestACMERefusesUnclaimedOrder(t *testing.T) {
	c := claim("grafana." + domain)
	ca, _ := serve(t, options(t, c))
	client := newACME(t, ca, nil)
	for _, name := range []string{"other." + domain, "*." + domain, domain, "example.com"} {
		_, err := client.AuthorizeOrder(t.Context(), acme.DomainIDs(name))
		var problem *acme.Error
		if !errors.As(err, &problem) || problem.ProblemType != "urn:ietf:params:acme:error:rejectedIdentifier" || problem.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %v; want rejectedIdentifier", name, err)
		}
		contains(t, err, fmt.Sprintf("nobody claims %q", name))
	}
	_, err := client.AuthorizeOrder(t.Context(), acme.IPIDs("127.13.0.9"))
	contains(t, err, "nobody claims")
	if got := c.last(); got.Way != stepca.WayACME || len(got.IPs) != 1 || got.IPs[0] != netip.MustParseAddr("127.13.0.9") {
		t.Errorf("asked about %+v", got)
	}
}

func TestACMERefusesWhenClaimIsWithdrawn(t *testing.T) {
	name := "grafana." + domain
	c := claim(name)
	r := acmetest.StartResponder(t)
	o := options(t, c)
	o.Network = r
	ca, _ := serve(t, o)
	client := newACME(t, ca, r)
	made, err := client.AuthorizeOrder(t.Context(), acme.DomainIDs(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Prove(t.Context(), made.AuthzURLs[0]); err != nil {
		t.Fatal(err)
	}
	c.withdraw()
	_, _, err = client.CreateOrderCert(t.Context(), made.FinalizeURL, acmetest.CSR(t, acmetest.Key(t), name).Raw, true)
	contains(t, err, "rejectedIdentifier")
	contains(t, err, "nobody claims")
}

func TestACMEOffersTwoChallenges(t *testing.T) {
	name := "grafana." + domain
	ca, _ := serve(t, options(t, claim(name)))
	client := newACME(t, ca, nil)
	o, err := client.AuthorizeOrder(t.Context(), acme.DomainIDs(name))
	if err != nil {
		t.Fatal(err)
	}
	az, err := client.GetAuthorization(t.Context(), o.AuthzURLs[0])
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, c := range az.Challenges {
		got[c.Type] = true
	}
	if len(got) != 2 || !got["tls-alpn-01"] || !got["dns-01"] {
		t.Errorf("offered %v", got)
	}
}

func TestACMEParallelOrders(t *testing.T) {
	const n = 20
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%d.%s", i, domain)
	}
	var told signed
	r := acmetest.StartResponder(t)
	o := options(t, claim(names...))
	o.Network, o.Signed = r, told.add
	ca, _ := serve(t, o)
	client := newACME(t, ca, r)
	client.RetryBackoff = func(int, *http.Request, *http.Response) time.Duration { return 0 } // each at the first try
	group, ctx := errgroup.WithContext(t.Context())
	for _, name := range names {
		csr := acmetest.CSR(t, acmetest.Key(t), name)
		group.Go(func() error {
			_, err := client.Certificate(ctx, csr)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	serials := map[string]bool{}
	for _, c := range told.of(stepca.WayACME) {
		serials[c.Serial] = true
	}
	if len(serials) != n {
		t.Errorf("told of %d certificates; want %d", len(serials), n)
	}
}

// silent accepts connections and never says a word.
type silent struct{ nowhere }

func (silent) Endpoint(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestCloseEndsValidation(t *testing.T) {
	name := "grafana." + domain
	o := options(t, claim(name))
	o.Network = silent{}
	ca, stop := serve(t, o)
	client := newACME(t, ca, nil)
	made, err := client.AuthorizeOrder(t.Context(), acme.DomainIDs(name))
	if err != nil {
		t.Fatal(err)
	}
	az, err := client.GetAuthorization(t.Context(), made.AuthzURLs[0])
	if err != nil {
		t.Fatal(err)
	}
	challenge, err := acmetest.Challenge(az)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := client.Accept(t.Context(), challenge)
		done <- err
	}()
	stop()
	if err := <-done; err == nil {
		t.Error("it was valid")
	}
}
