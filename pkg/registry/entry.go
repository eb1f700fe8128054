package registry

import (
	"cmp"
	"slices"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// maxRecords is how many messages about one name are remembered.
const maxRecords = 8

// Prefix begins the keys under which entries are kept in a bucket.
const Prefix = "claim."

// Entry is what a ledger keeps of one name. A service stores it as JSON in its
// bucket under [Entry.Key].
type Entry struct {
	Name    string   `json:"name"`
	Records []Record `json:"records"` // in the order in which they are judged

	version uint64 // counts changes, to tell which one was saved
}

// Key returns the key of the entry in a bucket.
func (e Entry) Key() string { return Prefix + e.Name }

// Record is one message about a name.
type Record struct {
	Sequence uint64 `json:"sequence"` // of the message
	// At is where in the order of messages it is judged: its sequence, or a later
	// place when it was replayed.
	At      uint64          `json:"at"`
	Speaker events.Identity `json:"speaker"`
	Service *Service        `json:"service,omitempty"` // nil for a removal
}

// compareRecords sorts by place. What was replayed there comes after what was
// stored there, the older message first.
func compareRecords(a, b Record) int {
	if a.At == b.At && a.replayed() != b.replayed() {
		if a.replayed() {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Sequence, b.Sequence))
}

func (r Record) replayed() bool { return r.At != r.Sequence }

// add puts r into its place and reports whether that changed the entry.
func (e *Entry) add(r Record) bool {
	known := slices.IndexFunc(e.Records, func(k Record) bool { return k.Sequence == r.Sequence })
	if known >= 0 {
		if r.At <= e.Records[known].At {
			return false
		}
		e.Records = slices.Delete(e.Records, known, known+1)
	}
	at, _ := slices.BinarySearchFunc(e.Records, r, compareRecords)
	e.Records = slices.Insert(e.Records, at, r)
	return true
}

// hosts returns every host that some record mentions.
func (e *Entry) hosts() map[string]struct{} {
	out := map[string]struct{}{}
	for _, r := range e.Records {
		if r.Service == nil {
			continue
		}
		for _, h := range r.Service.Hosts {
			out[h] = struct{}{}
		}
	}
	return out
}
