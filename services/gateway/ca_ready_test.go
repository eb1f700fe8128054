package main

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
	"github.com/phoenix-platform/phoenix/services/gateway/nginx/nginxtest"
)

func TestCAReady(t *testing.T) {
	ca := nginxtest.NewCA(t)
	root := string(ca.Root)
	leaf, _, _ := strings.Cut(string(ca.Pair(t, "a."+domain).Chain), "-----END")
	good := events.CAReady{Root: root, RootFingerprint: ca.Fingerprint()}
	of := func(h *handlers) events.Handler[events.CAReady] { return h.caReady }
	checkHandler(t, []handled[events.CAReady]{
		{"good", good, ""},
		{"nothing", events.CAReady{}, "root is not one certificate"},
		{"another fingerprint", events.CAReady{Root: root, RootFingerprint: nginxtest.NewCA(t).Fingerprint()}, "fingerprint"},
		{"no fingerprint", events.CAReady{Root: root}, "fingerprint"},
		{"two roots", events.CAReady{Root: root + root, RootFingerprint: ca.Fingerprint()}, "root is not one certificate"},
		{"a leaf", events.CAReady{Root: leaf + "-----END CERTIFICATE-----\n"}, "not the certificate of a CA"},
		{"no certificate inside", events.CAReady{Root: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "root: "},
	}, of)
	checkLater(t, good, of)
	expect(t, recordsOf(t, good, of).Root, ledger.Root{Origin: ledger.Origin{Sequence: 7}, PEM: root})
}
