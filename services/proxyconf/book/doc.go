// Package book is what proxyconf knows, kept in its own bucket: the newest facts
// that others said, who holds which name and host, and what proxyconf itself saw
// and handed over. Handlers write into it, reconcilers read it and are woken by
// each change. A change that could not be stored is answered with an error, and
// the message that caused it comes again.
package book
