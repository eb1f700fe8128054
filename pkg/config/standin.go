package config

import (
	"net"
	"slices"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/name"
)

// WithStandIns returns the stack with every service's backend replaced by one at
// the address: the first service at port first, the next at the port after it.
// The scheme stays; what verified the real backend goes. A stack without any
// service gets two, portainer and dr-phoenix, both https.
func (s Stack) WithStandIns(address string, first int) Stack {
	s.Services = slices.Clone(s.Services)
	if len(s.Services) == 0 {
		s.Services = []Service{
			{Name: "portainer", URL: "https://portainer.invalid"},
			{Name: "dr-phoenix", URL: "https://dr-phoenix.invalid"},
		}
	}
	for i := range s.Services {
		svc := &s.Services[i]
		scheme := "http"
		if b, err := name.ParseBackend(svc.URL, svc.Backend.event()); err == nil {
			scheme = b.Scheme
		}
		svc.URL = scheme + "://" + net.JoinHostPort(address, strconv.Itoa(first+i))
		svc.Backend, svc.CA, svc.Fingerprint, svc.ServerName = nil, "", "", ""
	}
	return s
}
