// Package nginxtest holds what tests of the gateway need around nginx: a CA,
// free addresses on loopback, and a stand-in for Traefik.
package nginxtest
