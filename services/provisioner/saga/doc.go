// Package saga decides what becomes of a stack. It is pure: a [State] and an
// [Event] give the next state ([Rules.Apply]), and a state alone says what is
// to be done now ([State.Next]) and when the clock matters next
// ([State.Wake]).
//
// Because actions follow from the state and not from what happened last,
// nothing is lost when the process that carries them out is killed: it reads
// the state again and finds the same actions. Each action may therefore be
// carried out twice and has to look before it acts. What must be said on the
// bus lies in the state too ([State.Outbox]) until the bus has it.
//
// A run goes through the phases
//
//	Making ─▶ Settled                      the front door answered
//	Making ─▶ Undoing ─▶ Failed            a step failed or took too long
//	Removing ─▶ Absent                     the stack was wished away
//
// A request for the same wish joins the run under way; one that wants the
// stack absent takes it over; any request during Undoing or Removing waits for
// the end. Every run ends in exactly one event of its own.
package saga
