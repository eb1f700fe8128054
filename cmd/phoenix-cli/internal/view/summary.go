package view

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/name"
)

// maxSummary is the longest summary, in runes.
const maxSummary = 200

// Summary says in one line what a message is about.
func Summary(subject string, data []byte) string {
	summarize, ok := summaries()[subject]
	if !ok {
		return short(Clean(string(data)), maxSummary)
	}
	text, err := summarize(data)
	if err != nil {
		text = "unreadable payload: " + string(data)
	}
	return short(Clean(text), maxSummary)
}

// summarizer renders the payload of one subject.
type summarizer func(data []byte) (string, error)

// of makes a summarizer from a function of the payload's type, and its subject.
func of[T events.Payload](render func(T) string) (string, summarizer) {
	var zero T
	return zero.Subject(), func(data []byte) (string, error) {
		var v T
		if err := json.Unmarshal(data, &v); err != nil {
			return "", err
		}
		return render(v), nil
	}
}

// summaries has a summarizer for each subject of the contract.
func summaries() map[string]summarizer {
	out := map[string]summarizer{}
	add := func(subject string, s summarizer) { out[subject] = s }
	stackSummaries(add)
	containerSummaries(add)
	certSummaries(add)
	serviceSummaries(add)
	guestSummaries(add)
	edgeSummaries(add)
	return out
}

func stackSummaries(add func(string, summarizer)) {
	add(of(func(e events.StackRequested) string {
		switch {
		case e.Want == events.Absent && e.Purge:
			return e.Stack + " shall be absent, its data too"
		case e.Want == events.Absent:
			return e.Stack + " shall be absent"
		}
		return e.Stack + " shall be present"
	}))
	add(of(func(e events.StackReady) string { return fmt.Sprintf("%s answers at %s", e.Run, e.Address) }))
	add(of(func(e events.StackFailed) string {
		return fmt.Sprintf("%s failed at %s: %s", e.Run, e.Step, e.Reason) + list(", undone: ", e.Undone)
	}))
	add(of(func(e events.StackRemoved) string { return e.Stack + " is gone" + list(", removed: ", e.Removed) }))
}

func containerSummaries(add func(string, summarizer)) {
	add(of(func(e events.ContainerRequested) string { return fmt.Sprintf("%d %s %s", e.ID, e.Role, e.Name) }))
	add(of(func(e events.ContainerReady) string {
		return fmt.Sprintf("%d %s %s at %s", e.ID, e.Role, e.Name, e.Address)
	}))
	add(of(func(e events.ContainerFailed) string {
		return fmt.Sprintf("%d %s failed at %s: %s", e.ID, e.Role, e.Step, e.Reason)
	}))
	add(of(func(e events.ContainerRemoved) string { return fmt.Sprintf("%d %s", e.ID, e.Role) }))
}

func certSummaries(add func(string, summarizer)) {
	add(of(func(e events.CAReady) string { return e.URL + ", root " + e.RootFingerprint }))
	add(of(func(e events.CertRequested) string { return strings.Join(e.Names, " ") + " for " + e.Holder }))
	add(of(func(e events.CertIssued) string {
		return fmt.Sprintf("%s by %s until %s, serial %s", strings.Join(e.Names, " "), e.Issuer,
			e.NotAfter.UTC().Format("2006-01-02 15:04Z"), e.Serial)
	}))
	add(of(func(e events.CertFailed) string { return strings.Join(e.Names, " ") + ": " + e.Reason }))
	add(of(func(e events.CertRevoked) string {
		if e.Reason == "" {
			return e.Serial
		}
		return e.Serial + ": " + e.Reason
	}))
}

func serviceSummaries(add func(string, summarizer)) {
	add(of(func(e events.ServiceRegistered) string {
		target := e.URL
		if target == "" && e.Backend != nil {
			target = name.URL(*e.Backend)
		}
		return e.Name + " → " + target + list(", hosts ", e.Hosts)
	}))
	add(of(func(e events.ServiceRemoved) string { return e.Name }))
	add(of(func(e events.ServiceReady) string {
		return fmt.Sprintf("%s at %s, serial %s", e.Name, e.URL, e.Serial)
	}))
	add(of(func(e events.ServiceFailed) string {
		if e.Host == "" {
			return e.Name + ": " + e.Reason
		}
		return fmt.Sprintf("%s (%s): %s", e.Name, e.Host, e.Reason)
	}))
}

func guestSummaries(add func(string, summarizer)) {
	guest := func(g events.Guest) string {
		return fmt.Sprintf("%d %s %s", g.VMID, g.Kind, g.Name) + list(" at ", g.Addresses)
	}
	add(of(func(e events.GuestDiscovered) string { return guest(e.Guest) }))
	add(of(func(e events.GuestChanged) string { return guest(e.Guest) }))
	add(of(func(e events.GuestRemoved) string { return fmt.Sprint(e.VMID) }))
}

func edgeSummaries(add func(string, summarizer)) {
	add(of(func(e events.ProxyReady) string {
		return fmt.Sprintf("Traefik serves %s at %s, serial %s", e.Host, e.Address, e.Serial)
	}))
	add(of(func(e events.ProxyApplied) string {
		return fmt.Sprintf("Traefik shows revision %s with %d routes", e.Revision, e.Routes)
	}))
	add(of(func(e events.GatewayCertificate) string {
		if e.Withdrawn {
			return e.Host + " is withdrawn"
		}
		return fmt.Sprintf("%s waits for the gateway, serial %s", e.Host, e.Serial)
	}))
	add(of(func(e events.GatewayReady) string {
		return fmt.Sprintf("nginx serves %d hosts", e.Hosts) + list(" at ", e.Addresses)
	}))
	add(of(gatewayApplied))
}

func gatewayApplied(e events.GatewayApplied) string {
	text := fmt.Sprintf("nginx serves %d hosts", e.Total) + list(", now ", sortedKeys(e.Hosts)) +
		list(", no longer ", e.Removed) + list(", without a pair: ", e.Missing)
	if e.Error != "" {
		text += ", refused: " + e.Error
	}
	return text
}

// list renders items behind a prefix, and nothing when there are none.
func list(prefix string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return prefix + strings.Join(items, " ")
}
