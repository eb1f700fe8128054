// Package e2e tests the whole stack as outsiders meet it: real processes
// started by phoenix-cli, TLS clients that trust only the stack's root, and the
// real nats and step commands. Each test has a home and a block of loopback
// addresses of its own, and ends what it started.
package e2e
