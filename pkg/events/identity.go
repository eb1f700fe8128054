package events

// Identity names who speaks on the bus. Each one has an account and an nkey of
// its own, so the server itself attests it.
type Identity string

// The identities of a stack. Bootstrap alone lives in the account that holds
// the streams: it creates them and says nothing.
const (
	Ops         Identity = "ops" // a person, the command line
	Provisioner Identity = "provisioner"
	CA          Identity = "ca"
	Proxyconf   Identity = "proxyconf"
	Gateway     Identity = "gateway"
	Bootstrap   Identity = "bootstrap"
)

// Services returns the identities that are services, in start order.
func Services() []Identity { return []Identity{Provisioner, CA, Proxyconf, Gateway} }
