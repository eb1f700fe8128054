package events

import "time"

// Payload is one fact or wish that travels on the bus. Its subject is literal:
// renaming a type never changes the wire.
type Payload interface {
	// Subject returns the literal subject of two tokens, such as "cert.issued".
	Subject() string
}

// Want says whether a stack shall be there.
type Want string

// What a stack.requested may want. Empty means Present.
const (
	Present Want = "present"
	Absent  Want = "absent"
)

// Role is the part that a container plays in the stack.
type Role string

// The three containers of a stack.
const (
	RoleCA      Role = "ca"
	RoleProxy   Role = "proxy"
	RoleGateway Role = "gateway"
)

// Issuer is the way a service gets its certificate.
type Issuer string

// The ways of issuance. Empty means ACME.
const (
	IssuerACME     Issuer = "acme"
	IssuerBus      Issuer = "bus"
	IssuerWildcard Issuer = "wildcard"
)

// StackRequested wishes a stack to be present or absent. Its configuration
// lies in the bucket [BucketStacks] under the stack's name; the stack "home" is
// built in. The run that answers it is named by [RunID].
type StackRequested struct {
	Stack string `json:"stack"`
	Want  Want   `json:"want,omitempty"`
	// Purge asks that nothing of the stack's data is kept; with Absent only.
	Purge bool `json:"purge,omitempty"`
}

// StackReady says that the front door answered over verified HTTPS.
type StackReady struct {
	Stack   string `json:"stack"`
	Run     string `json:"run"`
	Address string `json:"address"` // URL to open
	// Changed counts what the run created, changed or removed: 0 when it found
	// everything as wished.
	Changed int `json:"changed"`
}

// StackFailed says which step of a run failed, why, and what was undone.
type StackFailed struct {
	Stack  string   `json:"stack"`
	Run    string   `json:"run"`
	Step   string   `json:"step"`
	Reason string   `json:"reason"`
	Undone []string `json:"undone,omitempty"`
}

// StackRemoved says that nothing of the stack is left.
type StackRemoved struct {
	Stack   string   `json:"stack"`
	Run     string   `json:"run"`
	Removed []string `json:"removed,omitempty"`
}

// ContainerRequested is the provisioner's own wish for one container.
type ContainerRequested struct {
	Stack  string `json:"stack"`
	Run    string `json:"run"`
	ID     int    `json:"id"`
	Role   Role   `json:"role"`
	Name   string `json:"name"`
	Driver string `json:"driver"`
}

// ContainerReady says that a container runs and its service was seen alive.
type ContainerReady struct {
	Stack   string `json:"stack"`
	Run     string `json:"run"`
	ID      int    `json:"id"`
	Role    Role   `json:"role"`
	Name    string `json:"name"`
	Address string `json:"address"` // IP address
	Driver  string `json:"driver"`
	// Ports by purpose: "https", "http", "acme", "api", "health".
	Ports map[string]int `json:"ports,omitempty"`
	// Curve is the public curve key (nkeys xkey, "X…") of the service inside,
	// recorded when the container was created. Private keys are sealed to it.
	Curve string `json:"curve"`
}

// ContainerFailed says why a container could not be made or kept.
type ContainerFailed struct {
	Stack  string `json:"stack"`
	Run    string `json:"run"`
	ID     int    `json:"id"`
	Role   Role   `json:"role"`
	Step   string `json:"step"`
	Reason string `json:"reason"`
}

// ContainerRemoved says that a container is gone.
type ContainerRemoved struct {
	Stack string `json:"stack"`
	Run   string `json:"run"`
	ID    int    `json:"id"`
	Role  Role   `json:"role"`
}

// CAReady says that the CA serves, and whom to trust.
type CAReady struct {
	URL             string `json:"url"`
	ACMEDirectory   string `json:"acme_directory"`
	Root            string `json:"root"`             // PEM, one certificate
	RootFingerprint string `json:"root_fingerprint"` // SHA-256, lower-case hexadecimal
	// Duration is the life of the certificates that ACME issues, in seconds:
	// Traefik is told, as it can't find out.
	Duration int64 `json:"duration"`
}

// CertRequested asks for a certificate. The key stays where it was made.
type CertRequested struct {
	CSR    string   `json:"csr"`    // PEM, PKCS #10 (RFC 2986)
	Names  []string `json:"names"`  // DNS names and IP addresses; the CSR's SANs must be the same
	Holder string   `json:"holder"` // who will hold the key
}

// CertIssued says that the CA signed a certificate, whoever asked and in
// whichever way.
type CertIssued struct {
	Serial      string    `json:"serial"` // lower-case hexadecimal, as openssl x509 -serial shows it
	Names       []string  `json:"names"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Provisioner string    `json:"provisioner"` // name of the step-ca provisioner
	Issuer      string    `json:"issuer"`      // acme, jwk, bus, renew, …: the way it was asked for
	Holder      string    `json:"holder,omitempty"`
	Request     string    `json:"request,omitempty"` // id of the cert.requested that it answers
	Chain       string    `json:"chain"`             // PEM, leaf first
}

// CertFailed says why a requested certificate was not signed.
type CertFailed struct {
	Names   []string `json:"names"`
	Reason  string   `json:"reason"`
	Request string   `json:"request,omitempty"`
}

// CertRevoked says that a certificate must not be trusted any more.
type CertRevoked struct {
	Serial string `json:"serial"`
	Reason string `json:"reason,omitempty"`
}

// Backend is where a service really listens.
type Backend struct {
	Scheme  string `json:"scheme"`  // http or https
	Address string `json:"address"` // IP address or host name
	Port    int    `json:"port"`
}

// ServiceRegistered claims a name and its hosts and says where the service is.
// URL and Backend say the same thing; when both are given they must agree.
type ServiceRegistered struct {
	Name    string   `json:"name"`
	Hosts   []string `json:"hosts,omitempty"` // default <name>.<domain>
	URL     string   `json:"url,omitempty"`
	Backend *Backend `json:"backend,omitempty"`
	Issuer  Issuer   `json:"issuer,omitempty"`
	// CA (PEM) or Fingerprint (SHA-256 of the leaf, hexadecimal) verifies an
	// https backend that our root does not.
	CA          string `json:"ca,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	// ServerName is the name an https backend's certificate must carry, when it
	// is not the backend's address.
	ServerName string `json:"server_name,omitempty"`
}

// ServiceRemoved gives a name and its hosts back.
type ServiceRemoved struct {
	Name string `json:"name"`
}

// ServiceReady says that a real handshake for the service's URL showed Serial:
// at Traefik when proxyconf says it, at nginx when gateway does.
type ServiceReady struct {
	Name   string `json:"name"`
	Host   string `json:"host"`
	URL    string `json:"url"`
	Serial string `json:"serial"`
}

// ServiceFailed says why a service is not served yet; it is tried again.
type ServiceFailed struct {
	Name   string `json:"name"`
	Host   string `json:"host,omitempty"`
	Reason string `json:"reason"`
}

// Guest is what discovery knows of a guest of the hypervisor.
type Guest struct {
	VMID      int      `json:"vmid"`
	Kind      string   `json:"kind"` // lxc or qemu
	Name      string   `json:"name"`
	Addresses []string `json:"addresses,omitempty"`
	Tags      []string `json:"tags,omitempty"`
}

// GuestDiscovered says that a guest was seen for the first time.
type GuestDiscovered struct{ Guest }

// GuestChanged says that a guest's tags, addresses or state changed.
type GuestChanged struct{ Guest }

// GuestRemoved says that a guest is gone.
type GuestRemoved struct {
	VMID int `json:"vmid"`
}

// ProxyReady says that Traefik serves its own certificate.
type ProxyReady struct {
	Address string `json:"address"` // host:port of the HTTPS entry point
	Host    string `json:"host"`    // name on Traefik's own certificate
	Serial  string `json:"serial"`
}

// ProxyApplied says which revision of the routes Traefik's API really shows.
type ProxyApplied struct {
	Revision string `json:"revision"`
	Routes   int    `json:"routes"`
}

// GatewayCertificate says where the sealed pair for a host lies.
type GatewayCertificate struct {
	Host     string    `json:"host"`
	Service  string    `json:"service,omitempty"` // empty for the stack's own names
	Serial   string    `json:"serial"`
	NotAfter time.Time `json:"not_after"`
	Sealed   string    `json:"sealed"` // subject in the stream SEALED
	Sequence uint64    `json:"sequence"`
	// Withdrawn says that the host is not to be served any more.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// GatewayReady says that nginx serves, seen by a handshake with itself.
type GatewayReady struct {
	Addresses []string `json:"addresses"` // host:port
	Hosts     int      `json:"hosts"`
}

// GatewayApplied says which hosts and serials nginx really serves. A long list
// comes in parts: Hosts holds what changed, Total the number of all.
type GatewayApplied struct {
	Hosts   map[string]string `json:"hosts"`             // host → serial
	Removed []string          `json:"removed,omitempty"` // hosts no longer served
	Total   int               `json:"total"`
	// Missing lists hosts whose pair could not be fetched or opened: proxyconf
	// seals them again.
	Missing []string `json:"missing,omitempty"`
	// Error tells why the newest configuration was refused; the former serves.
	Error string `json:"error,omitempty"`
}

func (StackRequested) Subject() string     { return "stack.requested" }
func (StackReady) Subject() string         { return "stack.ready" }
func (StackFailed) Subject() string        { return "stack.failed" }
func (StackRemoved) Subject() string       { return "stack.removed" }
func (ContainerRequested) Subject() string { return "container.requested" }
func (ContainerReady) Subject() string     { return "container.ready" }
func (ContainerFailed) Subject() string    { return "container.failed" }
func (ContainerRemoved) Subject() string   { return "container.removed" }
func (CAReady) Subject() string            { return "ca.ready" }
func (CertRequested) Subject() string      { return "cert.requested" }
func (CertIssued) Subject() string         { return "cert.issued" }
func (CertFailed) Subject() string         { return "cert.failed" }
func (CertRevoked) Subject() string        { return "cert.revoked" }
func (ServiceRegistered) Subject() string  { return "service.registered" }
func (ServiceRemoved) Subject() string     { return "service.removed" }
func (ServiceReady) Subject() string       { return "service.ready" }
func (ServiceFailed) Subject() string      { return "service.failed" }
func (GuestDiscovered) Subject() string    { return "guest.discovered" }
func (GuestChanged) Subject() string       { return "guest.changed" }
func (GuestRemoved) Subject() string       { return "guest.removed" }
func (ProxyReady) Subject() string         { return "proxy.ready" }
func (ProxyApplied) Subject() string       { return "proxy.applied" }
func (GatewayCertificate) Subject() string { return "gateway.certificate" }
func (GatewayReady) Subject() string       { return "gateway.ready" }
func (GatewayApplied) Subject() string     { return "gateway.applied" }
