// Package storage reads and mends the file in which Traefik keeps its ACME
// accounts, certificates and private keys.
//
// Traefik writes that file in place, so a reader may meet half of it, and a
// Traefik that was killed may leave half of it, with which the next one would
// start without any certificate. [Reader] tells half a file from a whole one and
// keeps a copy of the last whole one; [Mend] brings the file into order before
// Traefik starts.
package storage
