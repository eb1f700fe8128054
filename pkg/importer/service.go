package importer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// Service is one service of the older system, and what becomes of it.
type Service struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"`
	// State is pending for a service that is taken over, failed for one that
	// cannot be served.
	State events.State `json:"state"`
	// Why it cannot be served or, for one that can, what was changed.
	Why string `json:"why"`
}

// settled is a claim with the service that it became.
type settled struct {
	claim *claim
	Service
	config config.Service
}

// settle decides every claim: which name and hosts it gets, or why it cannot be
// served. The first claim on a host keeps it.
func settle(claims []*claim, domain string) ([]settled, []Problem) {
	s := &settlement{domain: domain, hosts: map[string]int{}, names: map[string]int{}, containers: map[container]int{}}
	for _, c := range claims {
		s.decide(c)
	}
	return s.services, s.problems
}

type settlement struct {
	domain   string
	services []settled
	served   int
	hosts    map[string]int // host → index of the service that has it
	names    map[string]int // name → how often it was wished
	// containers holds the services of stacks, which may have several hosts.
	containers map[container]int
	problems   []Problem
}

// container is one port of one container of a stack.
type container struct {
	at      place
	backend config.Backend
}

func (s *settlement) decide(c *claim) {
	host := c.hostIn(s.domain)
	svcName, note, err := serviceName(c.name)
	if err != nil {
		s.refuse(c, clip(c.name), host, err.Error())
		s.problems = append(s.problems, problem(Error, c.at, "use letters, digits and hyphens", "%v", err))
		return
	}
	if c.host == "" && name.Host(host, s.domain) != nil {
		host = svcName + "." + s.domain
	}
	if i, taken := s.hosts[host]; taken {
		s.conflict(c, &s.services[i], svcName, host)
		return
	}
	if why := s.unservable(c, host); why != "" {
		s.refuse(c, svcName, host, why)
		return
	}
	port := container{c.at, c.backend}
	if i, known := s.containers[port]; known && c.host != "" {
		s.addHost(i, host)
		return
	}
	s.containers[port] = len(s.services)
	svcName = s.free(svcName, c)
	s.served++
	s.hosts[host] = len(s.services)
	s.services = append(s.services, settled{
		claim:   c,
		Service: Service{Name: svcName, Hosts: []string{host}, State: events.StatePending, Why: note},
		config:  config.Service{Name: svcName, Hosts: []string{host}, Backend: &c.backend},
	})
}

// unservable says why a claim that nobody else holds cannot be served.
func (s *settlement) unservable(c *claim, host string) string {
	if c.why != "" {
		return c.why
	}
	if s.served == config.MaxServices {
		return fmt.Sprintf("a stack has at most %d services", config.MaxServices)
	}
	if err := name.Host(host, s.domain); err != nil {
		s.problems = append(s.problems, problem(Error, c.at, "publish it below "+s.domain, "%v", err))
		return err.Error()
	}
	if name.Reserved(host, s.domain) {
		s.problems = append(s.problems, problem(Warn, c.at, "give the service another name if it is to stay",
			"%s belongs to the new stack itself, which has its own; this one is left out", host))
		return host + " belongs to the stack itself"
	}
	return ""
}

// conflict settles a second claim on a host: the first stays. The same backend
// once more is no second service.
func (s *settlement) conflict(c *claim, first *settled, svcName, host string) {
	what := c.backend.Scheme + "://" + c.backend.Address + fmt.Sprintf(":%d", c.backend.Port)
	s.problems = append(s.problems,
		problem(Error, c.at, "remove one of the two routes", "%s is routed twice: here to %s, and already by %s %s to %s",
			host, what, first.claim.at.file, first.claim.at.path, backendURL(first.claim.backend)),
		problem(Info, first.claim.at, "", "keeps %s, which %s %s claims as well", host, c.at.file, c.at.path))
	if c.why == "" && c.backend == first.claim.backend {
		return
	}
	s.refuse(c, svcName, host, "the host belongs to "+first.Name+" already")
}

func (s *settlement) refuse(c *claim, svcName, host, why string) {
	s.services = append(s.services, settled{
		claim:   c,
		Service: Service{Name: s.free(svcName, c), Hosts: []string{clip(host)}, State: events.StateFailed, Why: why},
	})
}

// addHost gives a service one more host of its container.
func (s *settlement) addHost(i int, host string) {
	svc := &s.services[i]
	svc.Hosts = append(svc.Hosts, host)
	svc.config.Hosts = svc.Hosts
	s.hosts[host] = i
}

// free returns a name that no other service has: the wished one, the claim's
// other one, or one with a number.
func (s *settlement) free(wish string, c *claim) string {
	candidates := []string{wish}
	if other, _, err := serviceName(c.otherName); err == nil {
		candidates = append(candidates, other)
	}
	for _, candidate := range candidates {
		if s.names[candidate] == 0 {
			s.names[candidate] = 1
			return candidate
		}
	}
	for {
		s.names[wish]++
		numbered := fmt.Sprintf("%s-%d", strings.TrimRight(wish[:min(len(wish), 57)], "-"), s.names[wish])
		if s.names[numbered] == 0 {
			s.names[numbered] = 1
			return numbered
		}
	}
}

var errName = errors.New("holds more than letters, digits, dots, hyphens and underscores")

// serviceName turns a name of the older system into one of ours, and says what
// it changed. Only what people use to part words is replaced; anything else may
// be an attempt to reach further.
func serviceName(written string) (ours, note string, err error) {
	if name.Service(written) == nil {
		return written, "", nil
	}
	for _, r := range written {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("._- ", r) {
			return "", "", fmt.Errorf("service name %q %w", clip(written), errName)
		}
	}
	ours = strings.NewReplacer(".", "-", "_", "-", " ", "-").Replace(strings.ToLower(written))
	ours = strings.Trim(ours[:min(len(ours), 63)], "-")
	if err := name.Service(ours); err != nil {
		return "", "", err
	}
	return ours, fmt.Sprintf("the service %q is called %q now: a name is one lower-case label", clip(written), ours), nil
}

func backendURL(b config.Backend) string {
	return name.URL(events.Backend{Scheme: b.Scheme, Address: b.Address, Port: b.Port})
}
