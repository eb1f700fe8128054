// Package ledger keeps what the gateway was told and what it saw in the
// gateway's own bucket, so that it knows after a restart without being told
// again.
//
// The bucket has one writer, this process, so what was read once from it is
// held in memory. Facts come late and twice: each record remembers the sequence
// of the message that it is from, and an older message changes nothing.
package ledger
