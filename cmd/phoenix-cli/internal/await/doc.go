// Package await waits for what was asked of a stack: a run to end, services to
// be served, the front door to answer. Deciding is pure, from events and facts.
package await
