package serve

import "time"

// The pauses before Traefik is made to try failed orders again.
const (
	firstTry = 5 * time.Second // an order takes less, unless many are under way
	mostTry  = time.Minute
)

// patience decides when orders have failed. Traefik does not tell: certificates
// are missing, and for a while none has come.
type patience struct {
	missing string // hosts without a certificate, as one text
	since   time.Time
	tries   int
}

// due says whether to try again now, and when to ask next. missing stands for the
// hosts without a certificate; it is empty when there are none. While it changes,
// orders are under way.
func (p *patience) due(now time.Time, missing string) (again bool, next time.Duration) {
	if missing != p.missing {
		*p = patience{missing: missing, since: now}
	}
	if missing == "" {
		return false, 0
	}
	pause := min(firstTry<<min(p.tries, 10), mostTry)
	if wait := pause - now.Sub(p.since); wait > 0 {
		return false, wait
	}
	p.since = now
	p.tries++
	return true, min(firstTry<<min(p.tries, 10), mostTry)
}

// hurry forgets former tries: the next one is due at once.
func (p *patience) hurry() {
	p.since, p.tries = time.Time{}, 0
}
