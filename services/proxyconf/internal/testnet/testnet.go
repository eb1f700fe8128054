// Package testnet gives each test loopback addresses of its own, so that the same
// tests can run twice on one machine.
package testnet

import (
	"fmt"
	"net"
	"testing"
)

// Block returns the first three octets of loopback addresses that no other test
// uses until this one ends.
func Block(t testing.TB) string {
	t.Helper()
	for n := range 250 {
		block := fmt.Sprintf("127.16.%d", n)
		l, err := net.Listen("tcp", block+".254:1")
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = l.Close() })
		return block
	}
	t.Fatal("no block of loopback addresses is free")
	return ""
}
