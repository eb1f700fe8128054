package events

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestSplit(t *testing.T) {
	cases := []struct {
		stored, subject string
		speaker         Identity
	}{
		{"cert.issued", "cert.issued", CA},
		{"service.registered.ops", "service.registered", Ops},
		{"service.ready.gateway", "service.ready", Gateway},
	}
	for _, c := range cases {
		s, speaker, err := Split(c.stored)
		if err != nil || s.Name() != c.subject || speaker != c.speaker {
			t.Errorf("%s: got %s, %s, %v", c.stored, s.Name(), speaker, err)
		}
	}
	for _, bad := range []string{"service.registered", "service.registered.gateway", "cert.issued.ca", "nothing", ""} {
		if _, _, err := Split(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestRedeliverAfter(t *testing.T) {
	want := map[uint64]time.Duration{0: 200 * time.Millisecond, 1: 200 * time.Millisecond, 2: 400 * time.Millisecond, 8: 25600 * time.Millisecond, 9: 30 * time.Second, 1 << 40: 30 * time.Second}
	for n, d := range want {
		if got := redeliverAfter(n); got != d {
			t.Errorf("after delivery %d: %s; want %s", n, got, d)
		}
	}
}

func TestInvalid(t *testing.T) {
	cause := errors.New("cause")
	err := Invalid(cause)
	if !IsInvalid(err) || !errors.Is(err, cause) || err.Error() != "cause" {
		t.Errorf("got %v", err)
	}
	if IsInvalid(cause) || Invalid(nil) != nil {
		t.Error("an ordinary error, or none, became invalid")
	}
}

// Every message that the contract knows has one speaker and a subject of two
// tokens, and no two rows share a subject.
func TestContractIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Contract() {
		if strings.Count(s.Name(), ".") != 1 || seen[s.Name()] || len(s.Speakers) == 0 || s.Doc == "" {
			t.Errorf("row %q is not sound", s.Name())
		}
		seen[s.Name()] = true
		for _, id := range s.Listeners {
			owner, row, ok := durableOwner(Durable(id, s.Name()))
			if !ok || owner != id || row.Name() != s.Name() {
				t.Errorf("consumer of %s for %s is not unique", s.Name(), id)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("service.registered.ops", "", `{"name":"grafana","hosts":["a.b"],"backend":{"port":3000}}`)
	f.Add("service.registered.ops", "phoenix.service.registered.v2", `{}`)
	f.Add("service.registered.ops", "", `{"name":7}`)
	f.Add("cert.issued", "", strings.Repeat("[", 300))
	f.Fuzz(func(t *testing.T, subject, typ, body string) {
		header := nats.Header{}
		if typ != "" {
			header.Set(headerType, typ)
		}
		e, err := decode[ServiceRegistered](raw{Subject: subject, Header: header, Data: []byte(body), Sequence: 7})
		if err == nil && (e.Speaker == "" || e.ID == "" || e.Source == "" || e.Sequence != 7) {
			t.Errorf("incomplete event %+v", e)
		}
	})
}
