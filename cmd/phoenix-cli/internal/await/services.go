package await

import (
	"slices"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Wish is a service that shall be served, as it was asked for.
type Wish struct {
	Name    string
	Hosts   []string
	Backend events.Backend
	Issuer  events.Issuer
	Owner   events.Identity
}

// Missing is a service that is not served as was asked for, and why.
type Missing struct {
	Name   string
	Reason string
	// Refused says that waiting can't help.
	Refused bool
}

// Lacking compares the wishes with what the services say, and returns what is
// not served yet in the order of the wishes.
func Lacking(wishes []Wish, f view.Facts) []Missing {
	state := map[string]events.ServiceState{}
	for _, s := range f.Services {
		state[s.Name] = s
	}
	shown := map[string]view.Service{}
	for _, s := range view.Services(f) {
		shown[s.Name] = s
	}
	var out []Missing
	for _, w := range wishes {
		is, known := state[w.Name]
		switch {
		case !known:
			out = append(out, Missing{Name: w.Name, Reason: "not registered yet"})
		case is.Owner != "" && is.Owner != w.Owner:
			out = append(out, Missing{Name: w.Name, Reason: "the name is held by " + string(is.Owner), Refused: true})
		case !applied(w, is):
			out = append(out, Missing{Name: w.Name, Reason: "not applied yet"})
		case shown[w.Name].State != events.StateReady:
			out = append(out, Missing{Name: w.Name, Reason: reason(shown[w.Name])})
		}
	}
	return out
}

// Left tells what of a service is still there.
func Left(service string, f view.Facts) []Missing {
	for _, s := range f.Services {
		if s.Name == service {
			return []Missing{{Name: service, Reason: "the proxy still routes it"}}
		}
	}
	for host, h := range f.Hosts {
		if h.Service == service {
			return []Missing{{Name: service, Reason: "the gateway still serves " + host}}
		}
	}
	return nil
}

// applied says whether a state is about this wish and no former one.
func applied(w Wish, is events.ServiceState) bool {
	a, b := slices.Sorted(slices.Values(w.Hosts)), slices.Sorted(slices.Values(is.Hosts))
	return w.Backend == is.Backend && slices.Equal(a, b) && issuer(w.Issuer) == issuer(is.Issuer)
}

func issuer(i events.Issuer) events.Issuer {
	if i == "" {
		return events.IssuerACME
	}
	return i
}

func reason(s view.Service) string {
	if s.Reason == "" {
		return string(s.State)
	}
	return string(s.State) + ": " + s.Reason
}
