package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/name"
	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

// Validate reports the faults of the stack's values at once.
func (s Stack) Validate() error { return join(s.Faults()) }

// Faults returns every fault of the stack's values with its path.
func (s Stack) Faults() []*FieldError {
	c := &checker{}
	c.err("stack", name.Service(s.Stack))
	c.oneOf("driver", s.Driver, DriverLocal)
	c.err("domain", name.Domain(s.Domain))
	c.addresses(s)
	c.deadline(s.Deadline)
	c.bus(s.Bus)
	c.ca(s.CA)
	c.oneOf("log.level", s.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", s.Log.Format, "text", "json")
	c.text("traefik", s.Traefik)
	c.text("nginx", s.Nginx)
	c.services(s)
	return c.faults
}

// checker collects faults.
type checker struct{ faults []*FieldError }

func (c *checker) add(path, format string, args ...any) {
	c.faults = append(c.faults, fault(path, format, args...))
}

func (c *checker) err(path string, err error) {
	if err != nil {
		c.add(path, "%v", err)
	}
}

func (c *checker) oneOf(path, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	hint := ""
	if near := nearest.Of(value, allowed); near != "" && value != "" {
		hint = "; did you mean " + strconv.Quote(near) + "?"
	}
	c.add(path, "%.40q is none of: %s%s", value, strings.Join(allowed, ", "), hint)
}

// text refuses control characters: no path or name has any.
func (c *checker) text(path, value string) {
	for _, r := range value {
		if r < ' ' || r == 0x7f {
			c.add(path, "has a control character")
			return
		}
	}
}

func (c *checker) addresses(s Stack) {
	first := s.Address(1)
	switch {
	case !first.IsValid():
		c.add("addresses", "%.40q is not three octets such as 127.0.1", s.Addresses)
	case s.Driver == DriverLocal && !first.IsLoopback():
		c.add("addresses", "the driver local needs a loopback block such as 127.0.1, not %q", s.Addresses)
	case s.Addresses == "127.0.0":
		c.add("addresses", "127.0.0 holds what everything else on this machine uses; take another block such as 127.0.1")
	}
}

func (c *checker) deadline(d Deadline) {
	const shortest, longest = time.Second, 24 * time.Hour
	for _, v := range []struct {
		path string
		d    Duration
	}{{"deadline.step", d.Step}, {"deadline.run", d.Run}} {
		if v.d.Std() < shortest || v.d.Std() > longest {
			c.add(v.path, "%s is not between 1s and 24h", v.d)
		}
	}
	if d.Run < d.Step {
		c.add("deadline.run", "%s is shorter than deadline.step, %s", d.Run, d.Step)
	}
}

func (c *checker) bus(b Bus) {
	if b.URL == "" {
		return
	}
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Hostname() == "":
		c.add("bus.url", "%.80q is not a URL such as tls://bus.example.org:4222", b.URL)
	case u.Scheme != "tls":
		c.add("bus.url", "the bus is reached over TLS only: tls://%s", u.Host)
	case u.User != nil:
		c.add("bus.url", "holds credentials: identities are files, never part of a URL")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		c.add("bus.url", "has more than scheme, host and port")
	}
}

func (c *checker) ca(ca CA) {
	const century = 100 * 365 * day
	c.text("ca.name", ca.Name)
	if len(ca.Name) > 64 {
		c.add("ca.name", "is longer than 64 bytes")
	}
	if d := ca.Duration.Std(); d < time.Hour || d%time.Hour != 0 {
		c.add("ca.duration", "%s is not a whole number of hours, at least 1h: ACME clients renew by such lives", ca.Duration)
	}
	if ca.IntermediateLife <= ca.Duration {
		c.add("ca.intermediate_life", "%s is not longer than ca.duration, %s", ca.IntermediateLife, ca.Duration)
	}
	if ca.RootLife < ca.IntermediateLife {
		c.add("ca.root_life", "%s is shorter than ca.intermediate_life, %s", ca.RootLife, ca.IntermediateLife)
	}
	if ca.RootLife.Std() > century {
		c.add("ca.root_life", "%s is longer than a hundred years", ca.RootLife)
	}
}
