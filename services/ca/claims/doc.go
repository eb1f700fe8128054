// Package claims decides who may have a certificate for which name: a claim
// belongs to its claimant. The stack's own names belong to the services that
// show them, everything else to whoever registered it.
package claims
