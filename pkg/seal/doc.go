// Package seal closes a certificate and its private key for one reader, so that
// the pair can travel over the bus and lie there.
//
// The box (nkeys xkey: X25519, XSalsa20-Poly1305) keeps everybody else out and
// tells the reader that the sender made it, but nothing more: it binds no
// purpose. So what it is for lies inside, with the pair: the recipient, the
// host, the serial and the end of validity. [Open] believes none of it before
// it has compared it with what the reader asked for and with the certificate
// itself.
package seal
