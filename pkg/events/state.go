package events

import "time"

// What services keep in their buckets, as far as others may read it (the
// operator's status, certs and services do). A bucket has one writer.

// The buckets; each is named after its writer except the first.
const (
	BucketStacks      = "stacks" // written by ops: stack name → phoenix.yaml as JSON
	BucketProvisioner = "provisioner"
	BucketCA          = "ca"
	BucketProxyconf   = "proxyconf"
	BucketGateway     = "gateway"
)

// State of a stack or of a service.
type State string

// Stack states: Absent, Starting, Ready, Degraded, Failed, Stopping. Service
// states: Pending, Ready, Degraded, Failed.
const (
	StateAbsent   State = "absent"
	StateStarting State = "starting"
	StateReady    State = "ready"
	StateDegraded State = "degraded"
	StateFailed   State = "failed"
	StateStopping State = "stopping"
	StatePending  State = "pending"
)

// StackState is kept by the provisioner under "stack.<name>".
type StackState struct {
	Stack    string    `json:"stack"`
	State    State     `json:"state"`
	Want     Want      `json:"want"`
	Run      string    `json:"run"`
	Address  string    `json:"address,omitempty"`
	Domain   string    `json:"domain"`
	Step     string    `json:"step,omitempty"` // what is being waited for
	Reason   string    `json:"reason,omitempty"`
	Deadline time.Time `json:"deadline,omitzero"` // of Step
	Since    time.Time `json:"since"`
}

// ContainerState is kept by the provisioner under "container.<id>".
type ContainerState struct {
	ID      int            `json:"id"`
	Role    Role           `json:"role"`
	Name    string         `json:"name"`
	Stack   string         `json:"stack"`
	Run     string         `json:"run"` // the run that created it
	Address string         `json:"address"`
	Ports   map[string]int `json:"ports,omitempty"`
	Driver  string         `json:"driver"`
	State   State          `json:"state"`
	Curve   string         `json:"curve"`
	Reason  string         `json:"reason,omitempty"`
}

// CAState is kept by the ca under "ca".
type CAState struct {
	CAReady
	Since time.Time `json:"since"`
}

// CertState is kept by the ca under "cert.<serial>", for ever.
type CertState struct {
	Serial      string    `json:"serial"`
	Names       []string  `json:"names"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Provisioner string    `json:"provisioner"`
	Issuer      string    `json:"issuer"`
	Holder      string    `json:"holder,omitempty"`
	Revoked     bool      `json:"revoked,omitempty"`
}

// ServiceState is kept by proxyconf under "service.<name>".
type ServiceState struct {
	Name    string   `json:"name"`
	Hosts   []string `json:"hosts"`
	Backend Backend  `json:"backend"`
	Issuer  Issuer   `json:"issuer"`
	Owner   Identity `json:"owner"` // who registered it
	State   State    `json:"state"`
	Reason  string   `json:"reason,omitempty"`
	// Serials seen in real handshakes with Traefik: host → serial.
	Serials  map[string]string `json:"serials,omitempty"`
	NotAfter time.Time         `json:"not_after,omitzero"`
	// How Traefik reaches the backend.
	Encrypted bool `json:"encrypted"`
	Verified  bool `json:"verified"`
}

// GatewayHost is kept by the gateway under "host.<host>".
type GatewayHost struct {
	Host     string    `json:"host"`
	Service  string    `json:"service,omitempty"`
	Serial   string    `json:"serial"` // seen in a real handshake with nginx
	NotAfter time.Time `json:"not_after"`
	State    State     `json:"state"`
	Reason   string    `json:"reason,omitempty"`
}
