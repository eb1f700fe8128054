package serve

import (
	"fmt"
	"slices"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/registry"
	"github.com/phoenix-platform/phoenix/services/proxyconf/backend"
)

// certificatePatience is how long a certificate may take, to be issued or to be
// shown, before its service counts as degraded.
const certificatePatience = 15 * time.Second

// evidence is all that was seen of one service.
type evidence struct {
	service registry.Service
	route   backend.Route
	applied bool   // Traefik serves this very registration
	fault   string // why Traefik can't use the route
	hosts   map[string]Host
}

// finding is one thing about a service that is not as it should be, or not yet.
type finding struct {
	state  events.State // pending or degraded
	reason string
}

// judge tells the state of a service from what was seen, and when that may be
// another one although nothing happens (0: it won't).
func judge(e evidence, now time.Time) (events.ServiceState, time.Duration) {
	out := events.ServiceState{
		Name: e.service.Name, Hosts: e.service.Hosts, Backend: e.service.Backend, Issuer: e.service.Issuer, Owner: e.service.Owner,
		Encrypted: e.route.Encrypted && e.route.Verified, Verified: e.route.Verified,
		Serials: map[string]string{}, State: events.StateReady,
	}
	findings := e.routeFindings()
	next := time.Duration(0)
	for _, host := range e.service.Hosts {
		h := e.hosts[host]
		if h.Seen.Serial != "" {
			out.Serials[host] = h.Seen.Serial
			out.NotAfter = earliest(out.NotAfter, h.Seen.NotAfter)
		}
		found, again := judgeHost(host, h, now)
		findings = append(findings, found...)
		next = sooner(next, again)
	}
	if worst, ok := worstOf(findings); ok {
		out.State, out.Reason = worst.state, worst.reason
	}
	return out, next
}

func worstOf(findings []finding) (finding, bool) {
	i := slices.IndexFunc(findings, func(f finding) bool { return f.state == events.StateDegraded })
	if i < 0 && len(findings) > 0 {
		i = 0
	}
	if i < 0 {
		return finding{}, false
	}
	return findings[i], true
}

// routeFindings judges the way from Traefik to the backend.
func (e evidence) routeFindings() []finding {
	var out []finding
	if e.fault != "" {
		out = append(out, finding{events.StateDegraded, "Traefik can't use the route: " + e.fault})
	}
	if e.route.Reason != "" {
		out = append(out, finding{events.StateDegraded, e.route.Reason})
	}
	if e.route.Pending {
		out = append(out, finding{events.StatePending, "the backend is being looked at"})
	}
	if !e.applied {
		out = append(out, finding{events.StatePending, "Traefik does not serve the route yet"})
	}
	return out
}

// judgeHost judges the certificate of one host, and tells when to judge again.
func judgeHost(host string, h Host, now time.Time) ([]finding, time.Duration) {
	switch {
	case h.Since.IsZero():
		return []finding{{events.StatePending, "waits for the certificate of " + host}}, 0
	case h.Pair.Serial == "":
		return overdue(now.Sub(h.Since), finding{reason: because("no certificate for "+host+" yet", h.Reason)})
	case h.Seen.Serial == "":
		return overdue(now.Sub(h.Amiss), finding{reason: because("Traefik does not show the certificate of "+host, h.Reason)})
	case !now.Before(h.Seen.NotAfter):
		return []finding{{events.StateDegraded, fmt.Sprintf("the certificate of %s ended at %s", host, h.Seen.NotAfter)}}, 0
	case !h.Served() && now.Sub(h.Amiss) >= certificatePatience:
		reason := fmt.Sprintf("Traefik shows the certificate %s of %s, and has %s", h.Seen.Serial, host, h.Pair.Serial)
		return []finding{{events.StateDegraded, reason}}, 0
	}
	return nil, 0
}

// overdue makes a finding pending for a while, and degraded from then on.
func overdue(age time.Duration, f finding) ([]finding, time.Duration) {
	if left := certificatePatience - age; left > 0 {
		f.state = events.StatePending
		return []finding{f}, left
	}
	f.state = events.StateDegraded
	return []finding{f}, 0
}

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

// earliest returns the earlier of two times, where the zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// settle returns what is to be recorded: something that is merely not seen yet
// does not unsay that it was ready.
func settle(former, now events.ServiceState) events.ServiceState {
	if now.State == events.StatePending && former.State == events.StateReady && sameService(former, now) {
		return former
	}
	return now
}

func sameService(a, b events.ServiceState) bool {
	return a.Backend == b.Backend && slices.Equal(a.Hosts, b.Hosts) && a.Owner == b.Owner
}
