// Package bus runs the message bus: an embedded nats-server whose accounts come
// from the contract in package events, or, from the same table, the
// configuration of one that runs by itself. It makes the identities and the
// bus's first certificate, and sets up streams, consumers and buckets.
package bus
