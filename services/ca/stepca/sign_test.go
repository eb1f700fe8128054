package stepca_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/services/ca/internal/acmetest"
	"github.com/phoenix-platform/phoenix/services/ca/stepca"
)

func TestSign(t *testing.T) {
	name := "grafana." + domain
	claims := claim(name)
	var told signed
	o := options(t, claims)
	o.Signed = told.add
	c, _ := serve(t, o)
	ask := stepca.Ask{CSR: acmetest.CSR(t, acmetest.Key(t), name), Names: []string{name}, Speaker: "ops", Holder: "me", Request: "r-1"}
	got, err := c.Sign(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	leaf := verify(t, c, decode(t, got.Chain), name)
	if got.Serial != stepca.Serial(leaf.SerialNumber) || got.Way != stepca.WayBus || got.Provisioner != "bus" || got.Holder != "me" || got.Request != "r-1" {
		t.Errorf("got %+v", got)
	}
	if asked := claims.last(); asked.Way != stepca.WayBus || asked.Speaker != "ops" {
		t.Errorf("asked about %+v", asked)
	}
	list := told.of(stepca.WayBus)
	if len(list) != 1 || list[0].Serial != got.Serial || list[0].Holder != "me" || list[0].Request != "r-1" {
		t.Errorf("told of %+v", list)
	}

	again, err := c.Sign(t.Context(), ask)
	if err != nil || again.Serial != got.Serial {
		t.Errorf("the same request got %s, %v", again.Serial, err)
	}
	others := map[string]func(*stepca.Ask){
		"another id":      func(a *stepca.Ask) { a.Request = "r-2" },
		"another speaker": func(a *stepca.Ask) { a.Speaker = "gateway" },
		"another key":     func(a *stepca.Ask) { a.CSR = acmetest.CSR(t, acmetest.Key(t), name) },
	}
	for what, change := range others {
		other := ask
		change(&other)
		if other, err := c.Sign(t.Context(), other); err != nil || other.Serial == got.Serial {
			t.Errorf("%s: %s, %v", what, other.Serial, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	c, _ := serve(t, options(t, claim("grafana."+domain, "example.com")))
	for _, name := range []string{"other." + domain, "example.com"} {
		_, err := c.Sign(t.Context(), stepca.Ask{CSR: acmetest.CSR(t, acmetest.Key(t), name), Names: []string{name}, Speaker: "ops", Request: name})
		if !errors.Is(err, stepca.ErrRefused) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSignedByBusIsNotRenewedByServer(t *testing.T) {
	name := "grafana." + domain
	o := options(t, claim(name))
	c, _ := serve(t, o)
	key := acmetest.Key(t)
	got, err := c.Sign(t.Context(), stepca.Ask{CSR: acmetest.CSR(t, key, name), Names: []string{name}, Speaker: "ops", Request: "r"})
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: decode(t, got.Chain), PrivateKey: key}
	_, err = newAdmin(t, o, c).client.Renew(client(t, c, pair).Transport)
	contains(t, err, "authorization")
}
