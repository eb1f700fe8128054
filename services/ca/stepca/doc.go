// Package stepca runs step-ca inside a process of ours.
//
// It keeps step's standard layout on disk, so the stock commands `step` and
// `step-ca` work on it, and assembles the server from step-ca's public parts
// rather than with its ready-made one. That is what makes three things possible
// without any change to step-ca: no certificate is signed whose names are not
// claimed, whichever way it is asked for; ACME challenges are validated at the
// addresses that we know, not at those that some DNS tells; and every signed
// certificate is told of, none lost in a crash.
//
// The package knows nothing of the bus: who claims what, where a host is
// answered and who wants to know of a certificate are [Options].
package stepca
