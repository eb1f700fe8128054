// Package fault holds errors as people meet them: what went wrong and where,
// what to do next, and the exit code of the command that met them.
//
// Any error may tell what to do next by a method Hint() string, and its exit
// code by a method ExitCode() int; nobody needs this package for that.
package fault
