// Package serve brings nginx to serve what the ledger wishes, and says what it
// saw.
//
// One loop, [Reconciler.Run], compares wish and world and starts what is
// missing: the configuration of nginx, and one task per host that is not
// settled. A task looks before it acts, so it may be started at any moment, any
// number of times: whatever a crash left is found and finished. What can't be
// done yet is tried again with growing pauses, without end.
package serve
