package stepca

import (
	"fmt"
	"math/big"
)

// Serial renders a serial number in lower-case hexadecimal with an even number
// of digits, which is what `openssl x509 -serial` shows in upper case.
func Serial(n *big.Int) string {
	s := fmt.Sprintf("%x", n.Bytes())
	if s == "" {
		s = "00"
	}
	if n.Sign() < 0 {
		s = "-" + s
	}
	return s
}
