// Package book is what the ca service knows, kept in its own bucket: the newest
// facts that others said, who claims which name, and what the CA said itself.
// Handlers write into it, the reconciler reads it and is woken by each change. A
// change that could not be stored is answered with an error, and the message
// that caused it comes again.
package book
