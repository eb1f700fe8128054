// Package events is the contract between the services of Phoenix: which
// subjects exist, who may say what on them, what a payload looks like, which
// streams, durable consumers and buckets there are; and the two verbs that go
// with it, publish and consume. Nothing else is shared by meaning.
//
// One table, [Contract], holds it all. The accounts and imports of the bus,
// its streams, consumers and buckets, the JSON Schemas in docs/events and the
// service's own rights are generated from it.
package events
