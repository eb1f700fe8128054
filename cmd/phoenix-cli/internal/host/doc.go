// Package host plays systemd's part on one machine: it holds the bus and keeps
// units running.
//
// A home has one host, which holds the home's lock. Units are sessions of their
// own that write to their logs themselves, so they outlive a host that is
// killed; the next one adopts them. What is known of each process is recorded
// before and after its start, and whatever a dead process leaves behind is
// killed before the next one starts, so nothing ever runs twice.
//
// [Run] is the host, [Launch] starts one in the background, [Stop] ends it and
// everything it keeps.
package host
