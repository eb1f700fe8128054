package config

import (
	"strings"

	"github.com/spf13/pflag"
)

// Key is one setting, as it is called in the file, on the command line and in
// the environment.
type Key struct {
	Path  string // in the file: ca.duration
	Flag  string // ca-duration
	Env   string // PHOENIX_CA_DURATION
	Usage string
	bind  func(*Stack) pflag.Value
}

// Keys returns every setting in the order of the file.
func Keys() []Key {
	text := func(field func(*Stack) *string) func(*Stack) pflag.Value {
		return func(s *Stack) pflag.Value { return textValue(field(s)) }
	}
	span := func(field func(*Stack) *Duration) func(*Stack) pflag.Value {
		return func(s *Stack) pflag.Value { return durationValue(field(s)) }
	}
	list := func(s *Stack) pflag.Value { return servicesValue(&s.Services) }
	return []Key{
		key("stack", "name of the stack", text(func(s *Stack) *string { return &s.Stack })),
		key("driver", "what runs the containers: local", text(func(s *Stack) *string { return &s.Driver })),
		key("domain", "domain of every host", text(func(s *Stack) *string { return &s.Domain })),
		key("addresses", "block of addresses: first three octets", text(func(s *Stack) *string { return &s.Addresses })),
		key("deadline.step", "longest time for one step", span(func(s *Stack) *Duration { return &s.Deadline.Step })),
		key("deadline.run", "longest time for the whole run", span(func(s *Stack) *Duration { return &s.Deadline.Run })),
		key("bus.url", "external NATS server; empty runs one inside", text(func(s *Stack) *string { return &s.Bus.URL })),
		key("traefik", "path of Traefik's program", text(func(s *Stack) *string { return &s.Traefik })),
		key("nginx", "path of nginx's program", text(func(s *Stack) *string { return &s.Nginx })),
		key("ca.name", "common name's stem of root and intermediate", text(func(s *Stack) *string { return &s.CA.Name })),
		key("ca.duration", "life of certificates: whole hours", span(func(s *Stack) *Duration { return &s.CA.Duration })),
		key("ca.root_life", "life of the root certificate", span(func(s *Stack) *Duration { return &s.CA.RootLife })),
		key("ca.intermediate_life", "life of the intermediate certificate", span(func(s *Stack) *Duration { return &s.CA.IntermediateLife })),
		key("log.level", "debug, info, warn or error", text(func(s *Stack) *string { return &s.Log.Level })),
		key("log.format", "text or json", text(func(s *Stack) *string { return &s.Log.Format })),
		key("services", "services as name=url, separated by commas", list),
	}
}

func key(path, usage string, bind func(*Stack) pflag.Value) Key {
	words := strings.NewReplacer(".", "-", "_", "-").Replace(path)
	env := "PHOENIX_" + strings.ToUpper(strings.ReplaceAll(words, "-", "_"))
	return Key{Path: path, Flag: words, Env: env, Usage: usage, bind: bind}
}

// BindFlags adds a flag for every key. [Resolve] reads those that were set.
func BindFlags(flags *pflag.FlagSet) {
	scratch := Default()
	for _, k := range Keys() {
		flags.Var(k.bind(&scratch), k.Flag, k.Usage+" ($"+k.Env+")")
	}
}

// set parses text into the key's field of s.
func (k Key) set(s *Stack, text string) error { return k.bind(s).Set(text) }
