package book

import "context"

// Facts returns what others said.
func (b *Book) Facts() Facts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.facts
}

// SetCA records a ca.ready, unless a newer one is known.
func (b *Book) SetCA(ctx context.Context, ca CA) error {
	b.record.Lock()
	defer b.record.Unlock()
	if ca.Sequence <= b.Facts().CA.Sequence {
		return nil
	}
	return b.set(ctx, keyCA, ca, func(c *content) { c.facts.CA = ca }, b.wishes...)
}

// SetProxy records a container.ready of the own container, unless a newer one is
// known.
func (b *Book) SetProxy(ctx context.Context, p Container) error {
	b.record.Lock()
	defer b.record.Unlock()
	if p.Sequence <= b.Facts().Proxy.Sequence {
		return nil
	}
	return b.set(ctx, keyProxy, p, func(c *content) { c.facts.Proxy = p }, b.wishes...)
}

// SetGateway records a container.ready of the gateway's container, unless a
// newer one is known.
func (b *Book) SetGateway(ctx context.Context, g Container) error {
	b.record.Lock()
	defer b.record.Unlock()
	if g.Sequence <= b.Facts().Gateway.Sequence {
		return nil
	}
	return b.set(ctx, keyGateway, g, func(c *content) { c.facts.Gateway = g }, b.wishes...)
}

// SetAnswered records what proxy.ready answered.
func (b *Book) SetAnswered(ctx context.Context, a Answered) error {
	return b.set(ctx, keyAnswered, a, func(c *content) { c.facts.Answered = a })
}

// SetApplied records what proxy.applied said.
func (b *Book) SetApplied(ctx context.Context, a Applied) error {
	return b.set(ctx, keyApplied, a, func(c *content) { c.facts.Applied = a })
}

// set stores v and then lets it be seen.
func (b *Book) set(ctx context.Context, key string, v any, change func(*content), rings ...func()) error {
	if err := b.put(ctx, key, v); err != nil {
		return err
	}
	b.change(change, rings...)
	return nil
}
