package stepca

import "path/filepath"

// layout is step's standard layout below one folder (what step calls STEPPATH).
type layout string

func (l layout) path(elem ...string) string {
	return filepath.Join(append([]string{string(l)}, elem...)...)
}

func (l layout) config() string          { return l.path("config", "ca.json") }
func (l layout) defaults() string        { return l.path("config", "defaults.json") }
func (l layout) root() string            { return l.path("certs", "root_ca.crt") }
func (l layout) intermediate() string    { return l.path("certs", "intermediate_ca.crt") }
func (l layout) secrets() string         { return l.path("secrets") }
func (l layout) rootKey() string         { return l.path("secrets", "root_ca_key") }
func (l layout) intermediateKey() string { return l.path("secrets", "intermediate_ca_key") }
func (l layout) database() string        { return l.path("db") }
func (l layout) databasePID() string     { return l.path("db", "LOCK") }
func (l layout) password() string        { return l.path("secrets", "password") }
func (l layout) rootPassword() string    { return l.path("secrets", "root_password") }
func (l layout) adminPassword() string   { return l.path("secrets", "admin_password") }
func (l layout) half() layout            { return l + ".half" }

// needed lists what must be there for the CA to serve. The root's key is not
// among it: it may be kept elsewhere.
func (l layout) needed() []string {
	return []string{l.config(), l.root(), l.intermediate(), l.intermediateKey(), l.password()}
}

// The names of the provisioners. That of [CA.Sign] exists in memory alone.
const (
	provisionerACME  = "acme"
	provisionerAdmin = "admin"
	provisionerBus   = "bus"
)
