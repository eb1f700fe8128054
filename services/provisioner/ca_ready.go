package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/probe"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// caReady records whom to trust. The run goes on once the CA was seen to serve
// under that root.
func (h *handlers) caReady(ctx context.Context, e events.Event[events.CAReady]) error {
	u, err := url.Parse(e.Data.URL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return events.Invalidf("url %.200q is not an https URL", e.Data.URL)
	}
	root, err := probe.Root(e.Data.Root)
	if err != nil {
		return events.Invalid(err)
	}
	if sum := sha256.Sum256(root.Raw); hex.EncodeToString(sum[:]) != e.Data.RootFingerprint {
		return events.Invalidf("root_fingerprint %.80q is not that of the root", e.Data.RootFingerprint)
	}
	return h.recordAll(ctx, saga.CASaid{Fact: saga.Fact[events.CAReady]{Sequence: e.Sequence, Data: e.Data}})
}
