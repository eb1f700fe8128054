package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// value makes a flag of a field, from the way to read and the way to write it.
type value struct {
	kind string
	get  func() string
	set  func(string) error
}

var _ pflag.Value = value{}

// String implements [pflag.Value]. The zero value is asked too.
func (v value) String() string {
	if v.get == nil {
		return ""
	}
	return v.get()
}

// Set implements [pflag.Value].
func (v value) Set(s string) error { return v.set(s) }

// Type implements [pflag.Value].
func (v value) Type() string { return v.kind }

func textValue(field *string) value {
	return value{
		kind: "string",
		get:  func() string { return *field },
		set:  func(s string) error { *field = s; return nil },
	}
}

func durationValue(field *Duration) value {
	return value{
		kind: "duration",
		get:  func() string { return field.String() },
		set:  func(s string) error { return field.UnmarshalText([]byte(s)) },
	}
}

// servicesValue is a list of services as a flag: name=url,name=url. What needs
// more than that belongs in the file.
func servicesValue(field *[]Service) value {
	return value{
		kind: "name=url,...",
		get:  func() string { return servicesText(*field) },
		set: func(s string) error {
			services, err := parseServices(s)
			if err != nil {
				return err
			}
			*field = services
			return nil
		},
	}
}

func servicesText(services []Service) string {
	parts := make([]string, 0, len(services))
	for _, s := range services {
		parts = append(parts, s.Name+"="+s.URL)
	}
	return strings.Join(parts, ",")
}

func parseServices(text string) ([]Service, error) {
	var out []Service
	for part := range strings.SplitSeq(text, ",") {
		name, url, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return nil, fmt.Errorf("%.80q is not name=url", part)
		}
		out = append(out, Service{Name: name, URL: url})
	}
	return out, nil
}
