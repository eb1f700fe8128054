package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
)

// curve makes a curve key pair.
func curve(tb testing.TB) (pair nkeys.KeyPair, public string) { //nolint:ireturn // nkeys has no other type
	tb.Helper()
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		tb.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		tb.Fatal(err)
	}
	return pair, public
}

func goodPair(tb testing.TB, host string) Pair {
	tb.Helper()
	chain, key := issue(tb, 0x1234, time.Now().Add(time.Hour), host)
	p, err := NewPair(host, chain, key)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestSealAndOpen(t *testing.T) {
	const host = "a.phoenix.localhost"
	sender, senderPublic := curve(t)
	own, ownPublic := curve(t)
	want := goodPair(t, host)
	data, err := Seal(want, ownPublic, sender)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, want.Key[30:60]) || bytes.Contains(data, []byte(host)) {
		t.Error("the sealed pair shows its content")
	}
	got, err := Open(data, own, senderPublic, host)
	if err != nil {
		t.Fatal(err)
	}
	if got.Host != host || got.Serial != "1234" || !got.NotAfter.Equal(want.NotAfter) ||
		!bytes.Equal(got.Chain, want.Chain) || !bytes.Equal(got.Key, want.Key) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSealRefuses(t *testing.T) {
	sender, _ := curve(t)
	_, recipient := curve(t)
	good := goodPair(t, "a.phoenix.localhost")
	wrongSerial, wrongEnd := good, good
	wrongSerial.Serial = "1235"
	wrongEnd.NotAfter = good.NotAfter.Add(time.Second)
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		pair      Pair
		recipient string
		sender    nkeys.KeyPair
	}{
		{"empty pair", Pair{}, recipient, sender},
		{"another serial", wrongSerial, recipient, sender},
		{"another end", wrongEnd, recipient, sender},
		{"no recipient", good, "", sender},
		{"recipient too long", good, strings.Repeat("X", 1000), sender},
		{"sender can't seal", good, recipient, user},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := Seal(row.pair, row.recipient, row.sender); err == nil {
				t.Error("got no error")
			}
		})
	}
}

// box seals any content, as a sender without our checks would.
func box(tb testing.TB, c content, recipient string, sender nkeys.KeyPair) []byte {
	tb.Helper()
	plain, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := sender.Seal(plain, recipient)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestOpenRefuses(t *testing.T) {
	const host = "a.phoenix.localhost"
	sender, senderPublic := curve(t)
	own, ownPublic := curve(t)
	_, strangerPublic := curve(t)
	good := goodPair(t, host)
	other := goodPair(t, "b.phoenix.localhost")
	oldChain, oldKey := issue(t, 0x1234, time.Now().Add(-time.Minute), host)
	old, err := NewPair(host, oldChain, oldKey)
	if err != nil {
		t.Fatal(err)
	}
	inside := content{
		Recipient: ownPublic, Host: host, Serial: good.Serial, NotAfter: good.NotAfter, Chain: good.Chain, Key: good.Key,
	}
	with := func(change func(*content)) []byte {
		c := inside
		change(&c)
		return box(t, c, ownPublic, sender)
	}
	sealed := with(func(*content) {})
	notJSON, err := sender.Seal([]byte("{"), ownPublic)
	if err != nil {
		t.Fatal(err)
	}
	reflected := box(t, content{
		Recipient: senderPublic, Host: host, Serial: good.Serial, NotAfter: good.NotAfter, Chain: good.Chain, Key: good.Key,
	}, senderPublic, own)
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)/2] ^= 1
	for _, row := range []struct {
		name   string
		data   []byte
		sender string
		want   string
	}{
		{"nothing", nil, senderPublic, "open"},
		{"one bit changed", flipped, senderPublic, "decrypt"},
		{"cut short", sealed[:len(sealed)-1], senderPublic, "decrypt"},
		{"too large", make([]byte, maxSealed+1), senderPublic, "too many"},
		{"another sender", sealed, strangerPublic, "decrypt"},
		{"no sender", sealed, "", "sender's public"},
		{"sender too long", sealed, strings.Repeat("X", 1000), "sender's public"},
		{"not JSON", notJSON, senderPublic, "not a sealed pair"},
		{"another recipient inside", with(func(c *content) { c.Recipient = strangerPublic }), senderPublic, "another recipient"},
		{"sent back to its sender", reflected, senderPublic, "another recipient"},
		{"another host", with(func(c *content) { c.Host = "b.phoenix.localhost" }), senderPublic, "for the host"},
		{"another host's pair", with(func(c *content) { c.Chain, c.Key = other.Chain, other.Key }), senderPublic, "certificate"},
		{"another's key", with(func(c *content) { c.Key = other.Key }), senderPublic, "does not match"},
		{"another serial", with(func(c *content) { c.Serial = "99" }), senderPublic, "serial"},
		{"another end", with(func(c *content) { c.NotAfter = c.NotAfter.Add(time.Hour) }), senderPublic, "ends at"},
		{"expired", with(func(c *content) { c.NotAfter, c.Chain, c.Key = old.NotAfter, old.Chain, old.Key }), senderPublic, "it ended at"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := Open(row.data, own, row.sender, host)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
			if p.Host != "" || p.Key != nil {
				t.Error("got a pair with the error")
			}
		})
	}
	if _, err := Open(sealed, own, senderPublic, "b.phoenix.localhost"); err == nil {
		t.Error("opened for a host that it is not for")
	}
}

func TestOpenWithAKeyThatCannot(t *testing.T) {
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	_, senderPublic := curve(t)
	if _, err := Open([]byte("xkv1 and more than a nonce of bytes here"), user, senderPublic, "a"); !errors.Is(err, nkeys.ErrInvalidNKeyOperation) {
		t.Errorf("got %v, want %v", err, nkeys.ErrInvalidNKeyOperation)
	}
}

// FuzzOpen opens what an honest and a dishonest sender could have put into the
// box: whatever it is, Open returns the good pair or an error.
func FuzzOpen(f *testing.F) {
	const host = "a.phoenix.localhost"
	sender, senderPublic := curve(f)
	own, ownPublic := curve(f)
	good := goodPair(f, host)
	plain, err := json.Marshal(content{
		Recipient: ownPublic, Host: host, Serial: good.Serial, NotAfter: good.NotAfter, Chain: good.Chain, Key: good.Key,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain, true)
	f.Add(plain, false)
	f.Add([]byte(`{"recipient":"`+ownPublic+`","host":"a.phoenix.localhost","chain":"LS0tLS0=","key":""}`), true)
	f.Add([]byte(`{"chain":[1,2]}`), true)
	f.Add([]byte("xkv1"), false)
	f.Fuzz(func(t *testing.T, data []byte, inBox bool) {
		if inBox {
			sealed, err := sender.Seal(data, ownPublic)
			if err != nil {
				t.Fatal(err)
			}
			data = sealed
		}
		p, err := Open(data, own, senderPublic, host)
		if err == nil && (p.Host != host || p.Check() != nil) {
			t.Errorf("opened %+v", p)
		}
	})
}
