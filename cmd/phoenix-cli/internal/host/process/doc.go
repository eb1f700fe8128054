// Package process starts, watches, finds and kills Linux processes without ever
// mistaking one for another: a process's number is used again after its end, so
// each is known by its number and its start, and held by a descriptor (pidfd).
package process
