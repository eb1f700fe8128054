package events

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Names of the streams.
const (
	StreamEvents      = "PHOENIX"     // every fact and wish
	StreamDeadLetters = "DEADLETTERS" // what a consumer gave up, with the reason
	StreamSealed      = "SEALED"      // sealed pairs, one per host, short-lived
	StreamReplays     = "REPLAYS"     // wishes to read a dead letter's message again
	StreamAdvisories  = "ADVISORIES"  // the server's own word on messages given up
)

// Limits of the bus.
const (
	MaxPayload  = 256 << 10        // bytes of headers and payload of one message
	AckWait     = 6 * time.Second  // until an unsettled message is delivered again, so what a killed service delays it by
	MaxDeliver  = 40               // deliveries until a message is a dead letter
	DedupeFor   = 10 * time.Minute // window in which a message id is remembered
	SealedFor   = 24 * time.Hour   // life of a sealed pair on the bus
	apiPrefix   = "BUS.API"        // prefix of the JetStream API in the accounts of the speakers
	maxAckCount = 64
)

// Subject is one row of the contract: a subject, who may speak on it, and who
// has a durable consumer for it. The first listener is the one that makes a
// dead letter of a message that nobody can read.
type Subject struct {
	Payload   Payload
	Doc       string
	Speakers  []Identity
	Listeners []Identity
}

// Name returns the literal subject of two tokens.
func (s Subject) Name() string { return s.Payload.Subject() }

// Shared says whether several may speak, so that the server adds the speaker.
func (s Subject) Shared() bool { return len(s.Speakers) > 1 }

// Stored returns the subject under which a message of speaker is stored.
func (s Subject) Stored(speaker Identity) string {
	if s.Shared() {
		return s.Name() + "." + string(speaker)
	}
	return s.Name()
}

// Filter returns the subject filter that matches every speaker's messages.
func (s Subject) Filter() string {
	if s.Shared() {
		return s.Name() + ".*"
	}
	return s.Name()
}

//go:generate go run ./internal/document ../../docs/events

// Contract returns the table: every subject of the bus, in the order of the
// saga.
func Contract() []Subject {
	return []Subject{
		{StackRequested{}, "A stack is wished to be present or absent.", ids(Ops), ids(Provisioner)},
		{StackReady{}, "The front door of a stack answered over verified HTTPS.", ids(Provisioner), nil},
		{StackFailed{}, "A run failed; what it had made was undone.", ids(Provisioner), nil},
		{StackRemoved{}, "A stack is gone.", ids(Provisioner), nil},
		{ContainerRequested{}, "A container is wished for.", ids(Provisioner), ids(Provisioner)},
		{ContainerReady{}, "A container runs and the service inside was seen alive.", ids(Provisioner), ids(CA, Proxyconf, Gateway)},
		{ContainerFailed{}, "A container could not be made or kept.", ids(Provisioner), nil},
		{ContainerRemoved{}, "A container is gone.", ids(Provisioner), nil},
		{CAReady{}, "The CA serves; whom to trust.", ids(CA), ids(Provisioner, Proxyconf, Gateway)},
		{CertRequested{}, "A certificate is asked for, by CSR.", ids(Ops, Provisioner, Proxyconf, Gateway), ids(CA)},
		{CertIssued{}, "A certificate was signed, whoever asked.", ids(CA), nil},
		{CertFailed{}, "A requested certificate was refused.", ids(CA), nil},
		{CertRevoked{}, "A certificate must not be trusted any more.", ids(CA), nil},
		{ServiceRegistered{}, "A service claims its name and hosts and says where it is.", ids(Ops, Provisioner), ids(Proxyconf, CA)},
		{ServiceRemoved{}, "A service gives its name and hosts back.", ids(Ops, Provisioner), ids(Proxyconf, CA)},
		{ServiceReady{}, "A service's certificate was seen in a real handshake.", ids(Proxyconf, Gateway), nil},
		{ServiceFailed{}, "A service is not served yet; it is tried again.", ids(Proxyconf, Gateway), nil},
		{GuestDiscovered{}, "A guest of the hypervisor was seen for the first time.", ids(Provisioner), nil},
		{GuestChanged{}, "A guest changed.", ids(Provisioner), nil},
		{GuestRemoved{}, "A guest is gone.", ids(Provisioner), nil},
		{ProxyReady{}, "Traefik serves its own certificate.", ids(Proxyconf), ids(Provisioner, Gateway)},
		{ProxyApplied{}, "Traefik's API shows this revision of the routes.", ids(Proxyconf), nil},
		{GatewayCertificate{}, "A sealed pair for a host waits for the gateway.", ids(Proxyconf), ids(Gateway)},
		{GatewayReady{}, "nginx serves.", ids(Gateway), ids(Provisioner)},
		{GatewayApplied{}, "What nginx really serves.", ids(Gateway), ids(Proxyconf)},
	}
}

func ids(list ...Identity) []Identity { return list }

// ByName returns the row of the subject with that literal name.
func ByName(name string) (Subject, bool) {
	for _, s := range Contract() {
		if s.Name() == name {
			return s, true
		}
	}
	return Subject{}, false
}

// Split tells the literal subject and the speaker of a stored subject.
func Split(stored string) (s Subject, speaker Identity, err error) {
	for _, s := range Contract() {
		for _, id := range s.Speakers {
			if s.Stored(id) == stored {
				return s, id, nil
			}
		}
	}
	return Subject{}, "", fmt.Errorf("subject %q is not in the contract", stored)
}

// Durable returns the name of the consumer by which id hears subject.
func Durable(id Identity, subject string) string {
	return string(id) + "_" + strings.ReplaceAll(subject, ".", "-")
}

// durableOwner tells whose consumer and which subject a durable name stands for.
func durableOwner(durable string) (Identity, Subject, bool) {
	for _, s := range Contract() {
		for _, id := range s.Listeners {
			if Durable(id, s.Name()) == durable {
				return id, s, true
			}
		}
	}
	return "", Subject{}, false
}

// replayDurable is the consumer by which id hears wishes to replay.
func replayDurable(id Identity) string { return string(id) + "_replay" }

// EventSubjects returns the subjects of the stream of events.
func EventSubjects() []string {
	var out []string
	for _, s := range Contract() {
		topic, _, _ := strings.Cut(s.Name(), ".")
		if !slices.Contains(out, topic+".*") {
			out = append(out, topic+".*")
		}
		if s.Shared() {
			out = append(out, s.Filter())
		}
	}
	return append(out, "revocation.*", "rotation.*")
}

// BucketSpec is one key-value bucket: one writer, and who else may read it. The
// operator reads all of them.
type BucketSpec struct {
	Name    string
	Writer  Identity
	Readers []Identity
}

// Buckets returns every bucket.
func Buckets() []BucketSpec {
	return []BucketSpec{
		{BucketStacks, Ops, ids(Provisioner)},
		{BucketProvisioner, Provisioner, nil},
		{BucketCA, CA, nil},
		{BucketProxyconf, Proxyconf, ids(Provisioner)},
		{BucketGateway, Gateway, nil},
	}
}
