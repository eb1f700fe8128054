package serve

import (
	"context"
	"fmt"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/proxyconf/book"
)

// answer says proxy.ready once for each container.ready and ca.ready, and for each
// new certificate of Traefik's own, after a look at it.
func (s *States) answer(ctx context.Context) error {
	facts := s.book.Facts()
	own := s.certificates.Hosts()[s.site.ProxyHost()]
	if !facts.CA.Known() || !facts.Proxy.Known() || s.routes.Served().marker == "" || !own.Served() {
		return nil
	}
	due := book.Answered{Proxy: facts.Proxy.Sequence, CA: facts.CA.Sequence, Serial: own.Seen.Serial}
	if due == facts.Answered {
		return nil
	}
	seen, err := look(ctx, s.site.HTTPS, s.site.ProxyHost(), pool(facts.CA.Root))
	if err != nil {
		return err
	}
	due.Serial = seen.Serial
	ctx = facts.Proxy.Context(ctx)
	said := events.ProxyReady{Address: s.site.HTTPS, Host: s.site.ProxyHost(), Serial: seen.Serial}
	if _, err := s.speaker.Publish(ctx, said); err != nil {
		return fmt.Errorf("say that the proxy is ready: %w", err)
	}
	s.log.InfoContext(ctx, "proxy ready", "address", said.Address, "serial", said.Serial)
	return s.book.SetAnswered(ctx, due)
}
