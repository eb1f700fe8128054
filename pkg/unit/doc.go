// Package unit describes the processes that a machine keeps running, and speaks
// to whoever keeps them: on one machine that is `phoenix-cli host`, reached
// through a Unix socket.
//
// A unit is a definition ([Unit]) and what became of it ([Status]). Whoever
// needs a process running defines it and starts it; the host restarts it when
// it ends, whatever the reason, until somebody stops it. Every verb of
// [Manager] states a wish, so it may be repeated: defining the same unit again
// changes nothing, starting a running one and stopping a stopped one neither.
//
// [Dial] returns the client, [NewHandler] is the other end of the same
// protocol.
package unit
