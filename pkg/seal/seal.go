package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nkeys"
)

// maxSealed is the largest sealed pair that is opened, in bytes.
const maxSealed = 128 << 10

// content is what lies inside the box.
type content struct {
	Recipient string    `json:"recipient"`
	Host      string    `json:"host"`
	Serial    string    `json:"serial"`
	NotAfter  time.Time `json:"not_after"`
	Chain     []byte    `json:"chain"`
	Key       []byte    `json:"key"`
}

// Seal closes the pair for the owner of the public curve key recipient, in the
// name of sender, a curve key pair. A pair that [Pair.Check] refuses is not
// sealed.
func Seal(p Pair, recipient string, sender nkeys.KeyPair) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("seal the pair of %s: %w", p.Host, err)
	}
	if !nkeys.IsValidPublicCurveKey(recipient) {
		return nil, fmt.Errorf("seal the pair of %s: the recipient's public curve key is not valid", p.Host)
	}
	plain, err := json.Marshal(content{
		Recipient: recipient, Host: p.Host, Serial: p.Serial, NotAfter: p.NotAfter, Chain: p.Chain, Key: p.Key,
	})
	if err != nil {
		return nil, fmt.Errorf("seal the pair of %s: %w", p.Host, err)
	}
	data, err := sender.Seal(plain, recipient)
	if err != nil {
		return nil, fmt.Errorf("seal the pair of %s: %w", p.Host, err)
	}
	if len(data) > maxSealed {
		return nil, fmt.Errorf("seal the pair of %s: %d bytes are too many", p.Host, len(data))
	}
	return data, nil
}

// Open returns the pair that sender, a public curve key, sealed for own, a
// curve key pair, and that is for the host. It refuses a pair that was sealed
// for another recipient or host, that [Pair.Check] refuses, or whose time is
// over. The caller verifies the chain, see [Pair.Verify].
func Open(data []byte, own nkeys.KeyPair, sender, host string) (Pair, error) {
	p, err := open(data, own, sender, host)
	if err != nil {
		return Pair{}, fmt.Errorf("open the sealed pair of %s: %w", host, err)
	}
	return p, nil
}

func open(data []byte, own nkeys.KeyPair, sender, host string) (Pair, error) {
	c, err := unbox(data, own, sender)
	if err != nil {
		return Pair{}, err
	}
	me, err := own.PublicKey()
	if err != nil {
		return Pair{}, fmt.Errorf("own public key: %w", err)
	}
	if c.Recipient != me {
		return Pair{}, errors.New("it was sealed for another recipient")
	}
	if c.Host != host {
		return Pair{}, fmt.Errorf("it is for the host %.80q", c.Host)
	}
	p := Pair{Host: c.Host, Serial: c.Serial, NotAfter: c.NotAfter.UTC(), Chain: c.Chain, Key: c.Key}
	if err := p.Check(); err != nil {
		return Pair{}, err
	}
	if !time.Now().Before(p.NotAfter) {
		return Pair{}, fmt.Errorf("it ended at %s", p.NotAfter)
	}
	return p, nil
}

// unbox decrypts and decodes. Its errors quote nothing of the content.
func unbox(data []byte, own nkeys.KeyPair, sender string) (content, error) {
	var c content
	if len(data) > maxSealed {
		return c, fmt.Errorf("%d bytes are too many", len(data))
	}
	// nkeys panics on a public key that is too long, so look first.
	if !nkeys.IsValidPublicCurveKey(sender) {
		return c, errors.New("the sender's public curve key is not valid")
	}
	plain, err := own.Open(data, sender)
	if err != nil {
		return c, err
	}
	if json.Unmarshal(plain, &c) != nil {
		return content{}, errors.New("content is not a sealed pair")
	}
	return c, nil
}
