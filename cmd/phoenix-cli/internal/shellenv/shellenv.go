// Package shellenv lets plain nats, step and curl work with a stack: it writes
// the files that they read, and the shell's exports that name these files.
package shellenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Stack is what the tools must know of a stack.
type Stack struct {
	Home    string // folder of the stack
	Name    string
	Bus     string // URL
	BusCA   string // file: certificates that the bus is verified against
	Nkey    string // file: nkey seed of the operator
	CA      string // URL of step-ca
	RootPEM string
}

// Variable is one variable of the environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Env is what the shell shall have.
type Env struct {
	Set []Variable `json:"set"`
	// Unset lists variables that would have the tools go elsewhere.
	Unset []string `json:"unset"`
}

// apiPrefix is the prefix of the JetStream API in the operator's account.
const apiPrefix = "BUS.API"

// Write writes the files into the home and returns the environment that names
// them. The present environment is read by getenv: what is in the way is unset,
// and a bundle of trusted certificates that somebody chose is kept in ours.
func Write(s Stack, getenv func(string) string) (Env, error) {
	folder := filepath.Join(s.Home, "env")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Env{}, fmt.Errorf("make the folder of the environment: %w", err)
	}
	context, root, bundle := filepath.Join(folder, s.Name+".json"), filepath.Join(folder, "root.pem"), filepath.Join(folder, "bundle.pem")
	natsContext, err := s.natsContext()
	if err != nil {
		return Env{}, err
	}
	system, err := systemRoots(getenv("SSL_CERT_FILE"), bundle)
	if err != nil {
		return Env{}, err
	}
	for path, content := range map[string]string{context: natsContext, root: s.RootPEM, bundle: joined(system, s.RootPEM)} {
		if err := renameio.WriteFile(path, []byte(content), 0o600); err != nil {
			return Env{}, fmt.Errorf("write %s: %w", filepath.Base(path), err)
		}
	}
	return Env{
		Set: []Variable{
			{"PHOENIX_HOME", s.Home}, {"NATS_CONTEXT", context}, {"STEP_CA_URL", s.CA}, {"STEP_ROOT", root}, {"SSL_CERT_FILE", bundle},
		},
		Unset: inTheWay(getenv),
	}, nil
}

// natsContext renders a context of the nats command: everything but secrets,
// the nkey by its path.
func (s Stack) natsContext() (string, error) {
	raw, err := json.MarshalIndent(map[string]string{
		"description": "Phoenix stack " + s.Name, "url": s.Bus, "ca": s.BusCA, "nkey": s.Nkey, "jetstream_api_prefix": apiPrefix,
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("render the nats context: %w", err)
	}
	return string(raw) + "\n", nil
}

// inTheWay lists the variables that are set and that the nats command prefers
// to its context.
func inTheWay(getenv func(string) string) []string {
	out := []string{}
	for _, name := range []string{
		"NATS_URL", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NATS_CREDS", "NATS_NKEY", "NATS_JWT", "NATS_SEED",
		"NATS_CERT", "NATS_KEY", "NATS_CA", "NATS_SOCKS_PROXY",
	} {
		if getenv(name) != "" {
			out = append(out, name)
		}
	}
	return out
}

// systemRoots reads the certificates that this machine trusts: those that
// somebody chose, unless that is our own bundle, else the system's.
func systemRoots(chosen, own string) (string, error) {
	files := []string{
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Alpine
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
		"/etc/ssl/ca-bundle.pem",             // openSUSE
		"/etc/ssl/cert.pem",
	}
	if chosen != "" && chosen != own {
		files = append([]string{chosen}, files...)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Clean(f))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read the trusted certificates: %w", err)
		}
		return string(raw), nil
	}
	return "", nil
}

func joined(system, root string) string {
	if system != "" && !strings.HasSuffix(system, "\n") {
		system += "\n"
	}
	return system + root
}

// Shell renders the environment as commands of a POSIX shell.
func (e Env) Shell() string {
	var b strings.Builder
	for _, name := range e.Unset {
		fmt.Fprintf(&b, "unset %s\n", name)
	}
	for _, v := range e.Set {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, quote(v.Value))
	}
	return b.String()
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
