// Package name judges names, hosts and backends that come from outside.
//
// Everything here is hostile input: it arrived in a message, a label or a file,
// and ends in a proxy's configuration, in a certificate or in an outgoing
// connection. What passes is in one canonical form (lower case, no escapes, no
// wildcards), so two spellings never stand for one thing. Every error says what
// is wrong with which value, quoted and cut to a bounded length.
package name
