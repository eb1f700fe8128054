package importer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Result is what an import found. As JSON it is what scripts read.
type Result struct {
	// Services of the older system in the order of its files.
	Services []Service `json:"services"`
	// Problems by file and line.
	Problems []Problem `json:"problems"`
	// Written is the file that the stack was written to; whoever writes it fills
	// this in.
	Written string `json:"written"`
	// Stack has every service that can be served. It is valid.
	Stack config.Stack `json:"-"`

	files []string
}

// ErrNothing says that none of the files is one of the older system.
var ErrNothing = errors.New("nothing to import: no file of the older system among those given")

// Import reads the files and folders at paths. An error means that a path cannot
// be opened, or that nothing in it belongs to the older system ([ErrNothing]; the
// result then says what is wrong with each file). Everything else is a problem
// of the result.
func Import(paths ...string) (Result, error) {
	sources, problems, err := collect(paths)
	if err != nil {
		return Result{}, err
	}
	return assemble(sources, problems)
}

// assemble runs all stages on files that have been read.
func assemble(sources []source, problems []Problem) (Result, error) {
	var docs []*document
	var files []string
	for _, s := range sources {
		files = append(files, s.name)
		d, bad := read(s)
		problems = append(problems, bad...)
		if d != nil {
			docs = append(docs, d)
		}
	}
	inv := take(docs)
	for _, rule := range rules() {
		problems = append(problems, rule(inv)...)
	}
	services, bad := settle(inv.claims(), inv.domain)
	problems = append(problems, bad...)
	stack, bad := stackOf(services, inv.domain)
	problems = append(problems, bad...)
	r := Result{Services: []Service{}, Problems: arrange(problems, files), Stack: stack, files: files}
	for _, s := range services {
		r.Services = append(r.Services, s.Service)
	}
	if len(docs) == 0 {
		return r, ErrNothing
	}
	return r, nil
}

// stackOf returns the stack of all services that can be served. What the
// configuration refuses for reasons of its own, such as an address that no
// backend may have, becomes a failed service here.
func stackOf(services []settled, domain string) (config.Stack, []Problem) {
	stack := config.Default()
	stack.Domain = domain
	var kept []*settled
	for i := range services {
		if services[i].State == events.StatePending {
			kept = append(kept, &services[i])
			stack.Services = append(stack.Services, services[i].config)
		}
	}
	refused := faultsByService(stack.Faults())
	if len(refused) == 0 {
		return stack, nil
	}
	var problems []Problem
	stack.Services = nil
	for i, s := range kept {
		why, bad := refused[i]
		if !bad {
			stack.Services = append(stack.Services, s.config)
			continue
		}
		s.State, s.Why = events.StateFailed, why
		problems = append(problems, problem(Error, s.claim.at, "correct the route, or publish the service by hand", "%s", why))
	}
	return stack, problems
}

// faultsByService returns the first fault of each service by its index.
func faultsByService(faults []*config.FieldError) map[int]string {
	out := map[int]string{}
	for _, f := range faults {
		rest, ok := strings.CutPrefix(f.Path, "services[")
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(rest, "]")
		if i, err := strconv.Atoi(digits); err == nil && out[i] == "" {
			out[i] = f.Message
		}
	}
	return out
}

// YAML renders the stack as a phoenix.yaml whose head says where it comes from
// and what it lacks.
func (r Result) YAML() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Made by phoenix-cli import from %s.\n", plain(strings.Join(shortened(r.files), ", ")))
	b.WriteString("An https backend is verified against this stack's root certificate; where the service has\n" +
		"another, give its ca or its fingerprint.\n")
	for _, s := range r.Services {
		if s.State == events.StateFailed {
			fmt.Fprintf(&b, "Left out: %s (%s): %s\n", plain(s.Name), plain(strings.Join(s.Hosts, ", ")), plain(s.Why))
		}
	}
	return r.Stack.Marshal(b.String())
}

func shortened(files []string) []string {
	const most = 12
	if len(files) <= most {
		return files
	}
	return append(files[:most:most], fmt.Sprintf("%d more", len(files)-most))
}
