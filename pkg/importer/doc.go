// Package importer reads the configuration of the older Phoenix Hypervisor (JSON
// files) and turns it into a phoenix.yaml.
//
// [Import] takes files and folders, recognises each file by its shape, and
// returns a [Result]: every service with whether it can be served and why not,
// every problem with its level, file, path and a hint, and the [config.Stack] of
// all services that can be served. Nothing in the input makes it fail but files
// that cannot be read at all: what is wrong is a [Problem], and the rest goes on.
//
// The flow is one way: sources (source.go) are read into documents
// (document.go), documents into an inventory of guests, stacks, certificates and
// services (inventory*.go); rules (rule_*.go) look at the inventory and return
// problems; claims (claim*.go) on hosts become services (service.go). Rules and
// claims are pure functions of the inventory. A rule knows no name, address or
// number of any installation: it compares what the files say with each other.
package importer
