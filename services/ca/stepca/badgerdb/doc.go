// Package badgerdb is step's database interface on Badger, laid out on disk as
// step's own driver does it, so both open the same folder.
//
// It is there for what that driver fixes: 80 MB of memory for every table that
// is being filled, a log of its own on the standard error, and no way to open a
// folder whose last record a crash left half-written.
package badgerdb
