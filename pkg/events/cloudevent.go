package events

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Headers of a CloudEvent in binary mode over NATS (CloudEvents 1.0, NATS
// protocol binding 3.1).
const (
	headerSpec        = "ce-specversion"
	headerID          = "ce-id"
	headerSource      = "ce-source"
	headerType        = "ce-type"
	headerTime        = "ce-time"
	headerContentType = "content-type"
)

// major is the version of all payloads that this code speaks.
const major = 1

type cloudEvent struct {
	ID     string
	Source string
	Type   string
	Time   time.Time
}

// eventType is the CloudEvents type of a subject: "phoenix.cert.issued.v1".
func eventType(subject string) string {
	return fmt.Sprintf("phoenix.%s.v%d", subject, major)
}

func setCloudEvent(h nats.Header, e cloudEvent) {
	h.Set(headerSpec, "1.0")
	h.Set(headerID, e.ID)
	h.Set(headerSource, e.Source)
	h.Set(headerType, e.Type)
	h.Set(headerTime, e.Time.Format(time.RFC3339Nano))
	h.Set(headerContentType, "application/json")
}

// checkVersion refuses a payload of a major version that this code does not
// know, and a type that belongs to another subject. No type at all is the
// current one: so it comes from a person.
func checkVersion(h nats.Header, subject string) error {
	typ := h.Get(headerType)
	if typ == "" || typ == eventType(subject) {
		return nil
	}
	rest, ok := strings.CutPrefix(typ, "phoenix."+subject+".v")
	if !ok {
		return fmt.Errorf("ce-type %.80q is not that of %s", typ, subject)
	}
	v, err := strconv.Atoi(rest)
	if err != nil || v < 1 {
		return fmt.Errorf("ce-type %.80q has no version", typ)
	}
	return fmt.Errorf("%s in version %d is not known here: this service speaks version %d", subject, v, major)
}
