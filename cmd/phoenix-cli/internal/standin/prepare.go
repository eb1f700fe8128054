package standin

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/phoenix-platform/phoenix/pkg/unit"
)

const (
	// firstPort is the first stand-in's.
	firstPort = 10001
	// lastPort is below what the kernel hands out to clients.
	lastPort = 32767
	// unitName is the name of the unit that serves all stand-ins.
	unitName = "stand-ins"
)

// Service is a service that needs a stand-in.
type Service struct {
	Name   string
	Scheme string // http or https
}

// Placed says where a service's stand-in is.
type Placed struct {
	Service string
	URL     string
	// Fingerprint is the SHA-256 of an https stand-in's certificate, in
	// lower-case hexadecimal.
	Fingerprint string
}

// Place is what the stand-ins of a home have in common.
type Place struct {
	// Dir is the folder for their list and certificates.
	Dir string
	// Address is the IP address that all listen on.
	Address string
	// Command executes [Run]; the path of the list is added to it.
	Command []string
}

// Prepare gives each service a port, the one it had before if it had one, and
// each https service a certificate. It returns where they are, in the order of
// services, and the unit that serves them, which changes when they do.
func Prepare(p Place, services []Service) ([]Placed, unit.Unit, error) {
	if err := os.MkdirAll(p.Dir, folderMode); err != nil {
		return nil, unit.Unit{}, fmt.Errorf("make folder of the stand-ins: %w", err)
	}
	file := filepath.Join(p.Dir, fileName)
	before, err := load(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		before = nil // it is written anew
	}
	ports, err := assign(portsOf(before, p.Address), services)
	if err != nil {
		return nil, unit.Unit{}, err
	}
	list, err := p.backends(services, ports, time.Now())
	if err != nil {
		return nil, unit.Unit{}, err
	}
	digest, err := save(file, list)
	if err != nil {
		return nil, unit.Unit{}, err
	}
	args := slices.Concat(p.Command, []string{file})
	return placed(list), unit.Unit{Name: unitName, Exec: args, Digest: digest, Enabled: true}, nil
}

// backends returns the list of stand-ins, certificates made.
func (p Place) backends(services []Service, ports map[string]int, now time.Time) ([]backend, error) {
	var list []backend
	for _, s := range services {
		b := backend{Service: s.Name, Scheme: s.Scheme, Listen: net.JoinHostPort(p.Address, strconv.Itoa(ports[s.Name]))}
		if s.Scheme == "https" {
			b.Certificate = filepath.Join(p.Dir, s.Name+".pem")
		}
		if err := b.validate(); err != nil { // before its name becomes a file's
			return nil, fmt.Errorf("stand-in %.80q: %w", s.Name, err)
		}
		if b.Certificate != "" {
			var err error
			if b.Fingerprint, err = ensureCertificate(b.Certificate, s.Name, p.Address, now); err != nil {
				return nil, err
			}
		}
		list = append(list, b)
	}
	return list, nil
}

func placed(list []backend) []Placed {
	var out []Placed
	for _, b := range list {
		out = append(out, Placed{Service: b.Service, URL: b.url(), Fingerprint: b.Fingerprint})
	}
	return out
}

// portsOf returns the ports that services have on address.
func portsOf(list []backend, address string) map[string]int {
	ports := map[string]int{}
	for _, b := range list {
		host, port, err := net.SplitHostPort(b.Listen)
		if n, perr := strconv.Atoi(port); err == nil && perr == nil && host == address {
			ports[b.Service] = n
		}
	}
	return ports
}

// assign gives every service a port of its own, the one it had before if any,
// and else the lowest that none has.
func assign(before map[string]int, services []Service) (map[string]int, error) {
	ports, taken := map[string]int{}, map[int]bool{}
	for _, s := range services {
		if _, twice := ports[s.Name]; twice {
			return nil, fmt.Errorf("stand-in %.80q is wanted twice", s.Name)
		}
		ports[s.Name] = before[s.Name]
		taken[before[s.Name]] = true
	}
	next := firstPort
	for _, s := range services {
		if ports[s.Name] != 0 {
			continue
		}
		for taken[next] {
			next++
		}
		if next > lastPort {
			return nil, fmt.Errorf("more than %d stand-ins", lastPort-firstPort+1)
		}
		ports[s.Name] = next
		taken[next] = true
	}
	return ports, nil
}
