// Package serve keeps the CA running once its container is ready, says
// ca.ready when it was seen to answer, and cert.issued for every certificate
// that it signs.
package serve
