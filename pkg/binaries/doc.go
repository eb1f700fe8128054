// Package binaries finds the third-party programs that a stack runs: Traefik
// and nginx. It never installs anything; its errors say what would.
package binaries
